using System.Runtime.CompilerServices;

namespace Vmm;

/// <summary>The partitions that are alive, for the meters, and the totals of those that no longer are.</summary>
/// <remarks>A partition that is never disposed drops out when it is collected.</remarks>
internal static class LivePartitions
{
    private static readonly ConditionalWeakTable<PartitionBase, string> Live = [];
    private static readonly Dictionary<string, BackendTotals> Ended = [];
    private static readonly Lock Gate = new();

    /// <summary>A partition has been created.</summary>
    internal static void Add(PartitionBase partition)
    {
        VmmMeter.Start();
        lock (Gate)
            Live.Add(partition, partition.Capabilities.Backend);
    }

    /// <summary>A partition has ended: what it did stays in the totals. Its processors run no more.</summary>
    internal static void Remove(PartitionBase partition)
    {
        lock (Gate)
        {
            if (Live.Remove(partition))
                Of(Ended, partition.Capabilities.Backend).AddWork(partition);
        }
    }

    /// <summary>Totals by backend; backends whose partitions have all ended are there, too.</summary>
    internal static Dictionary<string, BackendTotals> TotalsByBackend()
    {
        lock (Gate)
        {
            Dictionary<string, BackendTotals> totals = Ended.ToDictionary(pair => pair.Key, pair => pair.Value.Copy());
            foreach ((PartitionBase partition, string backend) in Live)
                Of(totals, backend).AddLive(partition);
            return totals;
        }
    }

    private static BackendTotals Of(Dictionary<string, BackendTotals> totals, string backend)
    {
        if (!totals.TryGetValue(backend, out BackendTotals? found))
            totals[backend] = found = new BackendTotals();
        return found;
    }
}
