using System.Runtime.InteropServices;

namespace Vmm.Hostile;

/// <summary>This process's resident memory.</summary>
public static partial class ResidentMemory
{
    /// <summary>What it may grow by over a run, in bytes.</summary>
    public const long MostGrowth = 64L << 20;

    /// <summary>Bytes, after a full collection and with what the C library keeps of freed memory given back: neither is growth.</summary>
    public static long Measure()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        if (OperatingSystem.IsLinux())
        {
            try
            {
                _ = Trim(0);
            }
            catch (EntryPointNotFoundException)
            {
                // Another C library than GNU's.
            }
        }
        return Environment.WorkingSet;
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
