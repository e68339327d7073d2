namespace Vmm;

/// <summary>What one backend's partitions have done, all that there ever were, and what the live ones hold.</summary>
internal sealed class BackendTotals
{
    /// <summary>Live partitions.</summary>
    internal long Partitions { get; private set; }

    /// <summary>Bytes of guest-physical addresses that live partitions have mapped.</summary>
    internal ulong MappedBytes { get; private set; }

    /// <summary>Exits by <see cref="ExitKind"/>.</summary>
    internal ulong[] Exits { get; } = new ulong[(int)ExitKind.Failed + 1];

    /// <summary>Instructions retired, where the backend counts them.</summary>
    internal ulong Instructions { get; private set; }

    /// <summary>Interrupts and exceptions delivered.</summary>
    internal ulong Events { get; private set; }

    /// <summary>Walks of nested page tables, where the backend has some of its own.</summary>
    internal ulong Walks { get; private set; }

    /// <summary>Adds what a partition has done.</summary>
    internal void AddWork(PartitionBase partition)
    {
        foreach (IVirtualProcessor processor in partition.Processors)
        {
            ProcessorCounters counters = processor.Counters;
            for (int kind = 0; kind < Exits.Length; kind++)
                Exits[kind] += counters.Exits[kind];
            Instructions += counters.Instructions;
            Events += counters.EventsDelivered;
        }
        Walks += partition.Memory.Statistics.Walks;
    }

    /// <summary>Adds a live partition: what it has done, and what it holds.</summary>
    internal void AddLive(PartitionBase partition)
    {
        AddWork(partition);
        Partitions++;
        foreach (MappedRegion region in partition.Memory.Regions)
            MappedBytes += region.Length;
    }

    /// <summary>A copy to go on adding to.</summary>
    internal BackendTotals Copy()
    {
        BackendTotals copy = new()
        {
            Partitions = Partitions, MappedBytes = MappedBytes, Instructions = Instructions, Events = Events, Walks = Walks,
        };
        Exits.CopyTo(copy.Exits, 0);
        return copy;
    }
}
