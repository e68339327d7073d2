using Vmm.WindowsHypervisor.Processors;

namespace Vmm.WindowsHypervisor.Interop.Probing;

/// <summary>A partition with one processor in real mode and 64 KiB of memory at 0, driven by the platform's own functions.</summary>
// SAFETY: the memory is committed before it is mapped, and freed only when the partition is deleted and no call that uses it is under way.
internal sealed unsafe class TestPartition : IDisposable
{
    /// <summary>Where guests count, so that one can see them run.</summary>
    public const int Counter = 0x1000;

    private const nuint MemoryBytes = 0x1_0000;
    private const uint CommitAndReserve = 0x3000, Release = 0x8000, ReadWrite = 4;

    private readonly PlatformProbe _probe;
    private readonly WhvScratch _scratch = new();
    private byte* _memory;
    private nint _handle;
    private BackgroundRun? _lost;

    /// <summary>Makes it. The processor stands before the code, which lies at 0.</summary>
    /// <exception cref="HypervisorException">The platform refused.</exception>
    public TestPartition(PlatformProbe probe, WhvX64LocalApicEmulationMode apic, ReadOnlySpan<byte> code)
    {
        _probe = probe;
        try
        {
            nint handle;
            WhvPlatform.Check(Api.CreatePartition(&handle), "WHvCreatePartition");
            _handle = handle;
            SetProperty(WhvPartitionPropertyCode.ProcessorCount, 1);
            if (apic != WhvX64LocalApicEmulationMode.None)
                SetProperty(WhvPartitionPropertyCode.LocalApicEmulationMode, (uint)apic);
            WhvPlatform.Check(Api.SetupPartition(_handle), "WHvSetupPartition");
            WhvPlatform.Check(Api.CreateVirtualProcessor(_handle, 0, 0), "WHvCreateVirtualProcessor");
            _memory = (byte*)Api.VirtualAlloc(null, MemoryBytes, CommitAndReserve, ReadWrite);
            if (_memory is null)
                throw new HypervisorException(WindowsHypervisorBackend.BackendName, "VirtualAlloc", 0, $"0x{MemoryBytes:X} bytes");
            code.CopyTo(new Span<byte>(_memory, (int)MemoryBytes));
            int mapped = Map(0, WhvMapGpaRangeFlags.Read | WhvMapGpaRangeFlags.Write | WhvMapGpaRangeFlags.Execute, MemoryBytes);
            WhvPlatform.Check(mapped, "WHvMapGpaRange");
            WhvRegisterValue code0 = default;
            code0.Segment = new WhvX64SegmentRegister { Limit = 0xFFFF, Attributes = 0x9B };
            WhvPlatform.Check(Set(WhvRegisterName.Cs, code0), "WHvSetVirtualProcessorRegisters", "Cs");
            WhvPlatform.Check(Set(WhvRegisterName.Rip, default), "WHvSetVirtualProcessorRegisters", "Rip");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The platform's handle.</summary>
    public nint Handle => _handle;

    /// <summary>The functions.</summary>
    public ref readonly WhvApi Api => ref _probe.Api;

    /// <summary>The last exit of <see cref="Run"/>.</summary>
    public ref WhvRunVpExitContext Exit => ref *_scratch.Exit;

    /// <summary>Maps the first pages of the memory at an address.</summary>
    public int Map(ulong address, WhvMapGpaRangeFlags flags, ulong length = 4096) =>
        Api.MapGpaRange(_handle, _memory, address, length, flags);

    /// <summary>Writes a register.</summary>
    public int Set(WhvRegisterName name, WhvRegisterValue value)
    {
        *_scratch.Names = name;
        *_scratch.Values = value;
        return Api.SetVirtualProcessorRegisters(_handle, 0, _scratch.Names, 1, _scratch.Values);
    }

    /// <summary>Reads a register.</summary>
    public int Get(WhvRegisterName name, out ulong value)
    {
        *_scratch.Names = name;
        *_scratch.Values = default;
        int result = Api.GetVirtualProcessorRegisters(_handle, 0, _scratch.Names, 1, _scratch.Values);
        value = _scratch.Values->Reg64;
        return result;
    }

    /// <summary>Runs until an exit that is not a cancel that nobody asked for.</summary>
    public int Run()
    {
        int result, attempts = 0;
        do
            result = Api.RunVirtualProcessor(_handle, 0, _scratch.Exit, (uint)sizeof(WhvRunVpExitContext));
        while (result >= 0 && Exit.ExitReason == WhvRunVpExitReason.Canceled && ++attempts < 100);
        return result;
    }

    /// <summary>Steps over the two bytes of an IN or OUT with the port in the instruction.</summary>
    public void SkipPortAccess()
    {
        WhvRegisterValue next = default;
        next.Reg64 = Exit.VpContext.Rip + 2;
        WhvPlatform.Check(Set(WhvRegisterName.Rip, next), "WHvSetVirtualProcessorRegisters", "Rip");
    }

    /// <summary>Lets another thread run the processor. A run that does not return keeps the partition's memory from being freed.</summary>
    public BackgroundRun Start()
    {
        BackgroundRun run = new(_probe, _handle);
        _lost = run;
        return run;
    }

    /// <summary>Waits until the guest counts.</summary>
    public bool WaitUntilCounting(int milliseconds = 2000)
    {
        ushort first = Volatile.Read(ref *(ushort*)(_memory + Counter));
        return SpinWait.SpinUntil(() => Volatile.Read(ref *(ushort*)(_memory + Counter)) != first, milliseconds);
    }

    /// <summary>Deletes the partition, if it is not yet.</summary>
    public int Delete()
    {
        nint handle = Interlocked.Exchange(ref _handle, 0);
        return handle == 0 ? WhvHResult.Ok : Api.DeletePartition(handle);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Delete();
        if (_lost is { HasReturned: false } && !_lost.Wait(1000))
            return;
        if (_memory is not null)
            _ = Api.VirtualFree(_memory, 0, Release);
        _memory = null;
        _scratch.Free();
    }

    private void SetProperty(WhvPartitionPropertyCode code, uint value)
    {
        int result = Api.SetPartitionProperty(_handle, code, &value, sizeof(uint));
        WhvPlatform.Check(result, "WHvSetPartitionProperty", code.ToString());
    }
}
