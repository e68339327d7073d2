namespace Vmm.Machines;

/// <summary>How a machine's run ended, with the details of its kind.</summary>
/// <param name="Kind">How.</param>
public sealed record MachineOutcome(MachineOutcomeKind Kind)
{
    /// <summary>The value written to the debug-exit port; else 0.</summary>
    public uint Value { get; init; }

    /// <summary>The device that asked for a reset, power-off or debug exit; else empty.</summary>
    public string Source { get; init; } = "";

    /// <summary>The processor that shut down or failed; else 0.</summary>
    public int Processor { get; init; }

    /// <summary>The last exit of that processor; else the default.</summary>
    public VpExit Exit { get; init; }

    /// <summary>The last exits of that processor, oldest first; else empty.</summary>
    public IReadOnlyList<VpExit> RecentExits { get; init; } = [];

    /// <inheritdoc/>
    public override string ToString() => Kind switch
    {
        MachineOutcomeKind.PoweredOff => $"powered off ({Source})",
        MachineOutcomeKind.Reset => $"reset ({Source})",
        MachineOutcomeKind.DebugExit => $"debug exit with 0x{Value:X} ({Source})",
        MachineOutcomeKind.TripleFault => $"triple fault on processor {Processor}",
        MachineOutcomeKind.Failed => $"processor {Processor} cannot go on: {Exit}",
        MachineOutcomeKind.AllHalted => "every processor is halted and nothing is able to wake one",
        _ => "cancelled",
    };
}
