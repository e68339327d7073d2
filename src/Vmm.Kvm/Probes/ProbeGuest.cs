using System.Buffers.Binary;

namespace Vmm.Kvm.Probes;

/// <summary>A small partition in which probes are run, each with a deadline. One thread.</summary>
internal sealed class ProbeGuest : IDisposable
{
    private readonly IPartition _partition;
    private readonly GuestMemory _memory;
    private readonly Timer _timer;

    public ProbeGuest(IHypervisor hypervisor, CpuProfile? profile = null, LocalApicMode localApic = LocalApicMode.None)
    {
        int processors = localApic == LocalApicMode.None ? 1 : 2;
        _partition = hypervisor.CreatePartition(new PartitionOptions { CpuProfile = profile, LocalApic = localApic, ProcessorCount = processors });
        _memory = _partition.AllocateMemory(ProbeLayout.Size);
        _partition.Memory.Map(0, _memory, 0, ProbeLayout.Size, GuestAccess.All);
        _timer = new Timer(static processor => ((IVirtualProcessor)processor!).Cancel(), Processor, Timeout.Infinite, Timeout.Infinite);
    }

    public IVirtualProcessor Processor => _partition.Processors[0];

    /// <summary>Runs a probe. A guest that was run into a wall should not be used again.</summary>
    public ProbeResult Run(LimitProbe probe)
    {
        string observed;
        try
        {
            Prepare(probe);
            VpExit exit = RunFor(probe.Deadline);
            for (int next = 1; next < probe.Events.Length && exit is { Kind: ExitKind.PortIo, PortIo.Port: ProbeEnd.PausePort }; next++)
            {
                Processor.CompletePending(out _);
                Processor.Inject(in probe.Events[next]);
                exit = RunFor(probe.Deadline);
            }
            if (probe.Expected.Matches(in exit))
            {
                if (Processor.IsPending)
                    Processor.CompletePending(out _);
                return new ProbeResult(probe, true, ProbeEnd.Describe(in exit));
            }
            observed = exit.Kind == ExitKind.Cancelled
                ? $"no exit within {probe.Deadline.TotalMilliseconds:0} ms (RIP 0x{Processor[Register.Rip]:X})"
                : $"{ProbeEnd.Describe(in exit)} at RIP 0x{exit.Rip:X}";
        }
        catch (Exception refused) when (refused is ArgumentException or NotSupportedException or HypervisorException or InvalidOperationException)
        {
            observed = $"{refused.GetType().Name}: {refused.Message}";
        }
        return new ProbeResult(probe, false, observed);
    }

    /// <summary>Writes the guest's memory and registers.</summary>
    public void Prepare(LimitProbe probe)
    {
        byte[] image = new byte[ProbeLayout.Size];
        ProbeImage.Write(image, probe);
        _partition.Memory.Write(0, image);
        DebugControl wanted = probe.HostPoint is { } point ? new DebugControl { Points = [point] } : DebugControl.None;
        if (wanted != Processor.Debugging)
            Processor.Debugging = wanted;
        foreach ((uint msr, ulong value) in probe.Msrs)
            Processor.WriteMsr(msr, value);
        Processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        ProbeRegisters.Fill(ref state, probe);
        Processor.SetState(RegisterGroups.Registers, in state);
        if (_partition.Processors.Count > 1)
            EnableApic(_partition.Processors[1]);
        if (probe.Events.Length != 0)
            Processor.Inject(in probe.Events[0]);
    }

    // Task priority 0, the second bit of the flat logical model, enabled (SDM Vol. 3A table 11-1).
    private static void EnableApic(IVirtualProcessor processor)
    {
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0x80), 0);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0xD0), 2U << 24);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0xE0), uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(0xF0), 0x1FF);
        processor.SetLocalApic(page);
    }

    /// <summary>Runs to the next exit, or until a time is over.</summary>
    public VpExit RunFor(TimeSpan time)
    {
        _timer.Change(time, Timeout.InfiniteTimeSpan);
        VpExit exit = Processor.Run();
        _timer.Change(Timeout.Infinite, Timeout.Infinite);
        return exit;
    }

    public void Dispose()
    {
        using (ManualResetEvent fired = new(false))
        {
            if (_timer.Dispose(fired))
                fired.WaitOne();
        }
        _partition.Dispose();
        _memory.Dispose();
    }
}
