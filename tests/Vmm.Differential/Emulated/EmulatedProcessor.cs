using Vmm.X86;
using Vmm.X86.Execution;

namespace Vmm.Differential.Emulated;

/// <summary>The engine's processor in 64-bit user code, as a Linux program sees it, over the memory of a case.</summary>
// SAFETY: the state block is the base class's; record pointers belong to the caller's batch and hold a whole record.
internal sealed unsafe class EmulatedProcessor : ProcessorCore
{
    private const int MostSteps = 200_000;
    private readonly EmulatedMemory _memory;

    public EmulatedProcessor(CpuidModel model, EmulatedMemory memory)
    {
        _memory = memory;
        Model = model;
        ResetState(ResetKind.PowerOn);
        VcpuState* s = State;
        s->Cr0 = Cr0Bits.ProtectionEnable | Cr0Bits.MonitorCoprocessor | Cr0Bits.ExtensionType | Cr0Bits.NumericError
            | Cr0Bits.WriteProtect | Cr0Bits.AlignmentMask | Cr0Bits.Paging;
        s->Cr3 = 0;
        s->Cr4 = model.Cr4Allowed & (Cr4Bits.PhysicalAddressExtension | Cr4Bits.PageGlobal | Cr4Bits.OsFxsr | Cr4Bits.OsXmmExceptions
            | Cr4Bits.Umip | Cr4Bits.FsGsBase | Cr4Bits.OsXsave | Cr4Bits.Smep | Cr4Bits.Smap);
        s->Efer = EferBits.SyscallEnable | EferBits.LongModeEnable | EferBits.LongModeActive | EferBits.NoExecute;
        s->Xcr0 = model.SupportedXcr0 & 7;
        s->Cpl = 3;
        SetSegments(64);
        s->Segments[SegmentIndex.Tr] = new SegmentRegister
            { Selector = 0x40, Base = EmulatedMemory.TaskStateAddress, Limit = 0x67, Attributes = 0x8B };
        UpdateMode();
        FlushTlb();
    }

    public override int PhysicalAddressBits => 40;

    /// <summary>Where the case began.</summary>
    public ulong StartRip { get; private set; }

    /// <summary>The data pages, as the case left them.</summary>
    public ReadOnlySpan<byte> Data => _memory.DataBytes;

    /// <summary>Takes a case's state and memory.</summary>
    public void Load(byte* record)
    {
        VcpuState* s = State;
        for (int i = 0; i < 16; i++)
            s->General[i] = ((ulong*)(record + CaseLayout.GeneralOffset))[i];
        LazyFlags.Set(s, *(ulong*)(record + CaseLayout.FlagsOffset));
        SetSegments(*(int*)(record + CaseLayout.BitsOffset));
        s->Rip = StartRip = *(ulong*)(record + CaseLayout.RipOffset);
        LoadVectors(record + CaseLayout.VectorsOffset);
        Code(record).CopyTo(_memory.CodeBytes[CodePosition(record)..]);
        new ReadOnlySpan<byte>(record + CaseLayout.DataOffset, CaseLayout.DataLength).CopyTo(_memory.DataBytes);
        s->Activity = Activity.Running;
        s->Shadow = InterruptShadow.None;
        s->PendingDebugTrap = 0;
        s->Fault = default;
        s->Event = default;
        s->Cr2 = 0;
        ClearAnswers();
        UpdateMode();
    }

    /// <summary>Runs to the fault that ends the case.</summary>
    /// <param name="record">The case that was loaded.</param>
    /// <param name="inBlocks">As decoded blocks, or one instruction at a time.</param>
    public RunResult Run(byte* record, bool inBlocks)
    {
        RunResult result;
        if (inBlocks)
        {
            CodeMap.InvalidateAll();
            result = Execute(MostSteps);
        }
        else
        {
            int steps = 0;
            do
                result = ExecuteOne();
            while (result == RunResult.Done && ++steps < MostSteps);
        }

        _memory.CodeBytes.Slice(CodePosition(record), Code(record).Length).Fill(CaseLayout.Filler);
        return result;
    }

    /// <inheritdoc/>
    public override ulong ReadTimeStampCounter() => 0;

    /// <inheritdoc/>
    protected override void ResolvePhysical(ulong address, PhysicalAccess access, out PhysicalPage page)
    {
        byte* host = _memory.Page(address);
        page = new PhysicalPage { Kind = host != null ? PhysicalPageKind.Memory : PhysicalPageKind.Unmapped, Host = host };
    }

    /// <inheritdoc/>
    protected override bool TryAnswer(ref ExternalRequest request) => false;

    private static int CodePosition(byte* record) => *(int*)(record + CaseLayout.CodePositionOffset);

    private static ReadOnlySpan<byte> Code(byte* record) =>
        new(record + CaseLayout.CodeBytesOffset, *(int*)(record + CaseLayout.CodeCountOffset));

    // As Linux sets them; 32-bit code has the flat data segment in DS and ES, too.
    private void SetSegments(int bits)
    {
        SegmentRegister data = new() { Selector = CaseLayout.DataSelector, Limit = uint.MaxValue, Attributes = 0xC0F3 };
        SegmentRegister none = new() { Attributes = SegmentRegister.UnusableBit };
        VcpuState* s = State;
        s->Segments[SegmentIndex.Cs] = new SegmentRegister
        {
            Selector = (ushort)(bits == 64 ? CaseLayout.CodeSelector64 : CaseLayout.CodeSelector32),
            Limit = uint.MaxValue,
            Attributes = bits == 64 ? 0xA0FBu : 0xC0FB,
        };
        s->Segments[SegmentIndex.Ss] = data;
        s->Segments[SegmentIndex.Ds] = s->Segments[SegmentIndex.Es] = bits == 64 ? none : data;
        s->Segments[SegmentIndex.Fs] = s->Segments[SegmentIndex.Gs] = none;
    }

    private void LoadVectors(byte* area)
    {
        VcpuState* s = State;
        s->FpuControl = *(ushort*)area;
        s->FpuStatus = *(ushort*)(area + 2);
        s->FpuTags = area[4];
        s->FpuOpcode = *(ushort*)(area + 6);
        s->FpuInstructionPointer = *(ulong*)(area + 8);
        s->FpuDataPointer = *(ulong*)(area + 16);
        s->FpuInstructionSelector = s->FpuDataSelector = 0;
        s->Mxcsr = *(uint*)(area + CaseLayout.MxcsrOffset);
        int top = (s->FpuStatus >> 11) & 7;
        for (int i = 0; i < 8; i++)
        {
            int physical = (top + i) & 7;
            s->Fpu[2 * physical] = *(ulong*)(area + CaseLayout.StackOffset + (16 * i));
            s->Fpu[(2 * physical) + 1] = *(ushort*)(area + CaseLayout.StackOffset + 8 + (16 * i));
        }

        for (int i = 0; i < 16; i++)
        {
            s->Vector[4 * i] = *(ulong*)(area + CaseLayout.XmmOffset + (16 * i));
            s->Vector[(4 * i) + 1] = *(ulong*)(area + CaseLayout.XmmOffset + 8 + (16 * i));
            s->Vector[(4 * i) + 2] = *(ulong*)(area + CaseLayout.UpperOffset + (16 * i));
            s->Vector[(4 * i) + 3] = *(ulong*)(area + CaseLayout.UpperOffset + 8 + (16 * i));
        }
    }
}
