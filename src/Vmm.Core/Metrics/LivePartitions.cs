using System.Runtime.CompilerServices;

namespace Vmm;

/// <summary>The partitions that are alive, for the meters, and the exits of those that no longer are.</summary>
/// <remarks>A partition that is never disposed drops out when it is collected.</remarks>
internal static class LivePartitions
{
    private static readonly ConditionalWeakTable<PartitionBase, string> Live = [];
    private static readonly Dictionary<string, ulong[]> Ended = [];
    private static readonly Lock Gate = new();

    /// <summary>A partition has been created.</summary>
    internal static void Add(PartitionBase partition)
    {
        VmmMeter.Start();
        lock (Gate)
            Live.Add(partition, partition.Capabilities.Backend);
    }

    /// <summary>A partition has ended: its exits stay in the totals. Its processors run no more.</summary>
    internal static void Remove(PartitionBase partition)
    {
        lock (Gate)
        {
            if (Live.Remove(partition))
                AddExits(Ended, partition);
        }
    }

    /// <summary>Number of live partitions by backend; backends whose partitions have all ended are there with 0.</summary>
    internal static Dictionary<string, long> CountByBackend()
    {
        lock (Gate)
        {
            Dictionary<string, long> counts = Ended.Keys.ToDictionary(backend => backend, _ => 0L);
            foreach ((_, string backend) in Live)
                counts[backend] = counts.GetValueOrDefault(backend) + 1;
            return counts;
        }
    }

    /// <summary>Exits by backend and <see cref="ExitKind"/>, of all partitions there ever were.</summary>
    internal static Dictionary<string, ulong[]> ExitsByBackend()
    {
        lock (Gate)
        {
            Dictionary<string, ulong[]> totals = Ended.ToDictionary(pair => pair.Key, pair => (ulong[])pair.Value.Clone());
            foreach ((PartitionBase partition, _) in Live)
                AddExits(totals, partition);
            return totals;
        }
    }

    private static void AddExits(Dictionary<string, ulong[]> totals, PartitionBase partition)
    {
        string backend = partition.Capabilities.Backend;
        if (!totals.TryGetValue(backend, out ulong[]? sums))
            totals[backend] = sums = new ulong[(int)ExitKind.Failed + 1];
        foreach (IVirtualProcessor processor in partition.Processors)
        {
            IReadOnlyList<ulong> exits = processor.Counters.Exits;
            for (int kind = 0; kind < sums.Length; kind++)
                sums[kind] += exits[kind];
        }
    }
}
