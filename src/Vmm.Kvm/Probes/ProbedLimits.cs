namespace Vmm.Kvm.Probes;

/// <summary>
/// The limits of this host's KVM, with the assist and without, each probed once in a process when they are first asked for. Any thread.
/// </summary>
internal static class ProbedLimits
{
    private static readonly Lock s_lock = new();
    private static HostLimits? s_assisted, s_bare;

    public static HostLimits Of(KvmPlatform platform, bool assist)
    {
        lock (s_lock)
        {
            ref HostLimits? limits = ref assist ? ref s_assisted : ref s_bare;
            return limits ??= HostLimits.Measure(KvmBackend.ForProbing(platform, assist));
        }
    }
}
