namespace Vmm.Core.Tests;

/// <summary>Measures what the calling thread allocates in the steady state.</summary>
internal static class AllocationMeter
{
    internal static long Of(Action action)
    {
        for (int i = 0; i < 200; i++)
            action();
        long best = long.MaxValue;
        for (int attempt = 0; attempt < 5; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
                action();
            best = Math.Min(best, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return best;
    }
}
