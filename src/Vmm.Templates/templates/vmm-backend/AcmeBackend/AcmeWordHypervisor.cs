using Microsoft.Extensions.Logging;
using Vmm;
using Vmm.Emulator;

namespace AcmeBackend;

/// <summary>The backend: what it can do, and where its partitions come from.</summary>
public sealed class AcmeWordHypervisor(ILoggerFactory? loggerFactory = null) : HypervisorBase(Declare(), loggerFactory)
{
    // The platform: here another backend stands for it, in its place comes your library or driver.
    private readonly EmulatorHypervisor _platform = new();

    protected override PartitionBase CreatePartitionCore(PartitionOptions options) => new AcmeWordPartition(this, options, _platform);

    private static HypervisorCapabilities Declare() => new(
        "acme-word",
        [Capability.ThreadMigration, Capability.LegacyPaging, Capability.PreciseSplitAccess, Capability.WalkViolations, Capability.EventState])
    {
        MaximumProcessors = 1,
        PhysicalAddressBits = EmulatorHypervisor.AddressBits,
        CpuProfiles = [CpuProfiles.V1.Name],
    };
}
