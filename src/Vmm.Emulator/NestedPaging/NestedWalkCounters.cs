namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// What one virtual processor's walks of the second level came to. Each processor has its own, so that plain additions do.
/// </summary>
internal struct NestedWalkCounters
{
    /// <summary>Walks.</summary>
    public long Walks;

    /// <summary>Table entries read by them: divided by <see cref="Walks"/>, the mean depth.</summary>
    public long EntriesRead;

    /// <summary>Walks that ended in a hole.</summary>
    public long Holes;

    /// <summary>Walks that the page's rights refused.</summary>
    public long Violations;

    /// <summary>Walks that met an entry its format forbids.</summary>
    public long Misconfigurations;

    /// <summary>Walks that had accessed or dirty flags to set.</summary>
    public long FlagUpdates;
}
