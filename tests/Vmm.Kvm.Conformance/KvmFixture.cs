using Vmm.Conformance;
using Vmm.Conformance.Xunit;

namespace Vmm.Kvm.Conformance;

/// <summary>This host's KVM, or why it cannot be used; and the kit's report on it, made when it is first asked for.</summary>
public sealed class KvmFixture : HypervisorFixture
{
    private static readonly Lazy<(IHypervisor? Hypervisor, string Reason)> s_kvm = new(() => Open("assist=on"));
    private static readonly Lazy<ConformanceReport> s_report = new(() => ConformanceRunner.Run(s_kvm.Value.Hypervisor!));

    protected override string Name => KvmBackend.BackendName;

    public ConformanceReport Report => Hypervisor is not null ? s_report.Value : throw new InvalidOperationException();

    internal static (IHypervisor? Hypervisor, string Reason) Open(string options)
    {
        KvmProvider provider = new();
        ProbeResult result = provider.Probe();
        return result.IsAvailable ? (provider.Create(HypervisorOptions.Parse(options)), "") : (null, $"{result.Reason}; {result.Fix}");
    }

    protected override (IHypervisor? Hypervisor, string Reason) Create() => s_kvm.Value;
}
