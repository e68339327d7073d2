namespace Vmm.Debugging.Registers;

/// <summary>A copy of one processor's registers, and which parts of it were changed.</summary>
internal sealed class RegisterView
{
    private const uint KernelGsBaseMsr = 0xC000_0102; // SDM Vol. 4 table 2-2
    private const int StateBitmap = 512;              // XSTATE_BV (SDM Vol. 1 13.4.2)

    private readonly IVirtualProcessor _processor;
    private readonly ulong _kernelGsBaseBefore;
    private readonly ulong _components;
    private ProcessorState _state;

    /// <summary>Reads all registers.</summary>
    /// <exception cref="InvalidOperationException">The processor is not at rest.</exception>
    public RegisterView(IVirtualProcessor processor)
    {
        _processor = processor;
        processor.GetState(RegisterGroups.Registers, out _state);
        Xsave = new byte[processor.XsaveSize];
        processor.GetXsave(Xsave);
        _components = BitConverter.ToUInt64(Xsave, StateBitmap);
        if ((_components & 1) == 0)
        {
            Xsave.AsSpan(0, 24).Clear();
            Xsave.AsSpan(32, 128).Clear();
            Xsave[0] = 0x7F; // FCW after FNINIT
            Xsave[1] = 0x03;
        }
        if ((_components & 2) == 0)
            Xsave.AsSpan(160, 256).Clear();
        if ((_components & 4) == 0 && Xsave.Length >= RegisterLayout.AvxEnd)
            Xsave.AsSpan(RegisterLayout.AvxOffset, RegisterLayout.AvxEnd - RegisterLayout.AvxOffset).Clear();
        KernelGsBase = _kernelGsBaseBefore = ReadKernelGsBase(processor);
    }

    /// <summary>Registers by group.</summary>
    public ref ProcessorState State => ref _state;

    /// <summary>x87, SSE and AVX in the XSAVE standard format.</summary>
    public byte[] Xsave { get; }

    /// <summary>IA32_KERNEL_GS_BASE.</summary>
    public ulong KernelGsBase { get; set; }

    /// <summary>Groups that were changed.</summary>
    public RegisterGroups Changed { get; set; }

    /// <summary>Bits of the XSAVE components that were changed.</summary>
    public ulong ChangedComponents { get; set; }

    /// <summary>Writes what was changed.</summary>
    /// <exception cref="ArgumentException">A value that no instruction could have put there.</exception>
    /// <exception cref="InvalidOperationException">The processor is not at rest.</exception>
    public void Commit()
    {
        if (Changed != RegisterGroups.None)
            _processor.SetState(Changed, in _state);
        if (ChangedComponents != 0)
        {
            BitConverter.TryWriteBytes(Xsave.AsSpan(StateBitmap), _components | ChangedComponents);
            _processor.SetXsave(Xsave);
        }
        if (KernelGsBase != _kernelGsBaseBefore)
            _processor.WriteMsr(KernelGsBaseMsr, KernelGsBase);
    }

    private static ulong ReadKernelGsBase(IVirtualProcessor processor)
    {
        try
        {
            return processor.ReadMsr(KernelGsBaseMsr);
        }
        catch (ArgumentOutOfRangeException)
        {
            return 0; // the processor model has no such register
        }
    }
}
