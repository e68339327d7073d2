using Vmm.Testing;

namespace Vmm.Core.Tests.Catalog;

/// <summary>A provider that answers as told; without a result its probe throws.</summary>
internal sealed class FakeProvider(string name, ProbeResult? result = null, Func<HypervisorOptions, IHypervisor>? create = null) : IHypervisorProvider
{
    internal int Probes { get; private set; }

    internal HypervisorOptions? Options { get; private set; }

    public string Name => name;

    public string DisplayName => $"The {name} backend";

    public IReadOnlyCollection<string> OptionKeys { get; init; } = [];

    public ProbeResult Probe()
    {
        Probes++;
        return result ?? throw new DllNotFoundException("no such library.");
    }

    public IHypervisor Create(HypervisorOptions options)
    {
        Options = options;
        return create is null ? new ScriptedHypervisor() : create(options);
    }
}
