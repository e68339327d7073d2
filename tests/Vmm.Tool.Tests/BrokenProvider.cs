namespace Vmm.Tool.Tests;

/// <summary>A backend that claims to work and makes no partition.</summary>
internal sealed class BrokenProvider : IHypervisorProvider
{
    public string Name => "broken";

    public string DisplayName => "A backend that fails";

    public IReadOnlyCollection<string> OptionKeys => [];

    public ProbeResult Probe() => ProbeResult.Available;

    public IHypervisor Create(HypervisorOptions options) => new Broken();

    private sealed class Broken : IHypervisor
    {
        public string Name => "broken";

        public HypervisorCapabilities Capabilities { get; } = new("broken", []) { CpuProfiles = ["v1"] };

        public IPartition CreatePartition(PartitionOptions options) =>
            throw new HypervisorException("broken", "creating a partition", 5, "partition", "Repair it.");
    }
}
