using Vmm.WindowsHypervisor.Interop.Probing;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Wine;

/// <summary>
/// The shipping way to the platform, by its libraries, with the one thing that real processors have and simulated ones need to be given:
/// they see what the host writes to memory.
/// </summary>
internal sealed class WatchingProvider : IHypervisorProvider
{
    private readonly WindowsHypervisorProvider _provider = new();

    public string Name => "whp-wine";

    public string DisplayName => "WinHvPlatform.dll that leads to the simulated platform";

    public bool IsAutomatic => false;

    public IReadOnlyCollection<string> OptionKeys => _provider.OptionKeys;

    public ProbeResult Probe() => _provider.Probe();

    public IHypervisor Create(HypervisorOptions options) => new Watched(_provider.Create(options));

    private sealed class Watched(IHypervisor hypervisor) : IHypervisor, IProbedPlatform
    {
        public string Name => hypervisor.Name;

        public HypervisorCapabilities Capabilities => hypervisor.Capabilities;

        public IPartition CreatePartition(PartitionOptions options)
        {
            IPartition partition = hypervisor.CreatePartition(options);
            SimulatedPlatform.Watch((WhvPartition)partition);
            return partition;
        }

        PlatformProbe IProbedPlatform.CreateProbe() => ((IProbedPlatform)hypervisor).CreateProbe();
    }
}
