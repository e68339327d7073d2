namespace Vmm.Hostile;

/// <summary>This process's resident memory.</summary>
public static class ResidentMemory
{
    /// <summary>What it may grow by over a run, in bytes.</summary>
    public const long MostGrowth = 64L << 20;

    /// <summary>Bytes, after a full collection: garbage is not growth.</summary>
    public static long Measure()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return Environment.WorkingSet;
    }
}
