using Vmm;

namespace AcmeBackend;

/// <summary>How catalogues find the backend: <c>Hypervisors.Catalog.Add(new AcmeWordProvider())</c>.</summary>
public sealed class AcmeWordProvider : IHypervisorProvider
{
    public string Name => "acme-word";

    public string DisplayName => "AcmeBackend";

    public IReadOnlyCollection<string> OptionKeys => [];

    // Where the platform is missing: ProbeResult.Unavailable(reason, what to do about it).
    public ProbeResult Probe() => ProbeResult.Available;

    public IHypervisor Create(HypervisorOptions options) => new AcmeWordHypervisor();
}
