namespace Vmm.Tool.Tests;

/// <summary>A backend that no host has.</summary>
internal sealed class AbsentProvider : IHypervisorProvider
{
    public string Name => "absent";

    public string DisplayName => "A backend that no host has";

    public IReadOnlyCollection<string> OptionKeys => [];

    public ProbeResult Probe() => ProbeResult.Unavailable("the test says so", "ask the test to say otherwise");

    public IHypervisor Create(HypervisorOptions options) => throw new HypervisorUnavailableException(Name, "the test says so");
}
