namespace Vmm;

/// <summary>Counters of the second level; a snapshot.</summary>
public readonly record struct SlatStatistics
{
    /// <summary>Leaves of 4 KiB.</summary>
    public ulong Pages4K { get; init; }

    /// <summary>Leaves of 2 MiB.</summary>
    public ulong Pages2M { get; init; }

    /// <summary>Leaves of 1 GiB.</summary>
    public ulong Pages1G { get; init; }

    /// <summary>Table pages.</summary>
    public ulong TablePages { get; init; }

    /// <summary>Nested walks.</summary>
    public ulong Walks { get; init; }

    /// <summary>Nested entries read by walks: divided by <see cref="Walks"/> it is the mean depth.</summary>
    public ulong EntriesRead { get; init; }

    /// <summary>Linear translations that missed the TLB.</summary>
    public ulong TlbMisses { get; init; }

    /// <summary>Flushes of other processors' TLBs.</summary>
    public ulong Shootdowns { get; init; }

    /// <summary>Large leaves split.</summary>
    public ulong Splits { get; init; }

    /// <summary>Tables merged into large leaves.</summary>
    public ulong Promotions { get; init; }

    /// <summary>Violations.</summary>
    public ulong Violations { get; init; }

    /// <summary>Misconfigurations.</summary>
    public ulong Misconfigurations { get; init; }
}
