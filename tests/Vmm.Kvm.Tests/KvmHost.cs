namespace Vmm.Kvm.Tests;

/// <summary>KVM of this host for tests: they are skipped, with the reason, where it cannot be used.</summary>
internal static class KvmHost
{
    public static IHypervisor Create(string options = "")
    {
        KvmProvider provider = new();
        ProbeResult result = provider.Probe();
        if (!result.IsAvailable)
            OutsideTool.Missing("kvm", result.ToString());
        return provider.Create(HypervisorOptions.Parse(options));
    }
}
