namespace Vmm;

/// <summary>Looks whether a backend really runs guest code: a real-mode guest of three instructions that must end in HLT.</summary>
public static class DeepProbe
{
    private const ulong CodeAddress = 0x1000;
    private const ulong Sum = 0x579;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // mov ax, 0x123; add ax, 0x456; hlt
    private static ReadOnlySpan<byte> Code => [0xB8, 0x23, 0x01, 0x05, 0x56, 0x04, 0xF4];

    /// <summary>Makes a backend of a provider and has it run the guest.</summary>
    /// <returns>Why it did not, with what to do about it where that is known.</returns>
    public static ProbeResult Run(IHypervisorProvider provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
#pragma warning disable CA1031 // whatever goes wrong in a backend is the answer
        try
        {
            return Run(provider.Create(HypervisorOptions.Empty));
        }
        catch (HypervisorUnavailableException exception)
        {
            return ProbeResult.Unavailable(exception.Reason, exception.Fix);
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
#pragma warning restore CA1031
    }

    /// <summary>Has a backend run the guest.</summary>
    public static ProbeResult Run(IHypervisor hypervisor)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
#pragma warning disable CA1031 // whatever goes wrong in a backend is the answer
        try
        {
            using IPartition partition = hypervisor.CreatePartition(new());
            return Run(partition);
        }
        catch (Exception exception)
        {
            return Failed(exception);
        }
#pragma warning restore CA1031
    }

    private static ProbeResult Run(IPartition partition)
    {
        using GuestMemory memory = partition.AllocateMemory(0x2000);
        memory.Write(CodeAddress, Code);
        partition.Memory.Map(0, memory, 0, memory.Length, GuestAccess.All);
        IVirtualProcessor processor = partition.Processors[0];
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.Segments, in state);
        processor[Register.Rip] = CodeAddress;

        VpExit exit = RunWithPatience(processor);
        if (exit.Kind == ExitKind.Cancelled)
            return ProbeResult.Unavailable($"a guest of three instructions did not reach its HLT within {Patience.TotalSeconds:F0} s");
        if (exit.Kind != ExitKind.Halt)
            return ProbeResult.Unavailable($"a guest of three instructions ended with {exit} instead of HLT");
        ulong ax = processor[Register.Rax] & 0xFFFF;
        ulong rip = processor[Register.Rip];
        ulong end = CodeAddress + (ulong)Code.Length;
        return ax == Sum && rip == end
            ? ProbeResult.Available
            : ProbeResult.Unavailable($"a guest of three instructions ended with AX = 0x{ax:X} and RIP = 0x{rip:X} instead of 0x{Sum:X} and 0x{end:X}");
    }

    private static VpExit RunWithPatience(IVirtualProcessor processor)
    {
        using Timer timer = new(static state => ((IVirtualProcessor)state!).Cancel(), processor, Patience, Timeout.InfiniteTimeSpan);
        return processor.Run();
    }

    private static ProbeResult Failed(Exception exception) => ProbeResult.Unavailable(
        $"running a guest of three instructions failed: {exception.Message.TrimEnd('.')}", (exception as HypervisorException)?.Hint?.TrimEnd('.'));
}
