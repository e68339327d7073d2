namespace Vmm;

/// <summary>A snapshot of one processor's counters.</summary>
public readonly record struct ProcessorCounters
{
    /// <summary>Exits by kind, indexed by <see cref="ExitKind"/>.</summary>
    public required IReadOnlyList<ulong> Exits { get; init; }

    /// <summary>Instructions retired, where the backend counts them (<see cref="Capability.InstructionCounting"/>), else 0.</summary>
    public ulong Instructions { get; init; }

    /// <summary>Interrupts and exceptions delivered by <see cref="IVirtualProcessor.Inject"/> or the external interrupt source.</summary>
    public ulong EventsDelivered { get; init; }

    /// <summary>
    /// Instructions that the platform left to the backend, finished one by one in its interpreter; 0 where there is no platform below. They
    /// are no exits unless they needed the client as well.
    /// </summary>
    public ulong AssistedInstructions { get; init; }

    /// <summary>All exits.</summary>
    public ulong TotalExits
    {
        get
        {
            ulong total = 0;
            foreach (ulong count in Exits)
                total += count;
            return total;
        }
    }
}
