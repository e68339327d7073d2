namespace Vmm.Kvm.Probes;

/// <summary>A small partition in which probes are run, each with a deadline. One thread.</summary>
internal sealed class ProbeGuest : IDisposable
{
    private readonly IPartition _partition;
    private readonly GuestMemory _memory;
    private readonly Timer _timer;

    public ProbeGuest(IHypervisor hypervisor, CpuProfile? profile = null)
    {
        Profile = profile;
        _partition = hypervisor.CreatePartition(new PartitionOptions { CpuProfile = profile });
        _memory = _partition.AllocateMemory(ProbeLayout.Size);
        _partition.Memory.Map(0, _memory, 0, ProbeLayout.Size, GuestAccess.All);
        _timer = new Timer(static processor => ((IVirtualProcessor)processor!).Cancel(), Processor, Timeout.Infinite, Timeout.Infinite);
    }

    public CpuProfile? Profile { get; }

    public IVirtualProcessor Processor => _partition.Processors[0];

    /// <summary>Runs a probe. A guest that was run into a wall should not be used again.</summary>
    public ProbeResult Run(LimitProbe probe)
    {
        string observed;
        try
        {
            Prepare(probe);
            VpExit exit = RunFor(probe.Deadline);
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
        foreach ((uint msr, ulong value) in probe.Msrs)
            Processor.WriteMsr(msr, value);
        Processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        ProbeRegisters.Fill(ref state, probe);
        Processor.SetState(RegisterGroups.Registers, in state);
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
