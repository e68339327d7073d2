using Microsoft.Extensions.Logging;

namespace Vmm.Kvm;

/// <summary>The hypervisor in the Linux kernel as a backend: guests run on the host's processors.</summary>
public sealed class KvmBackend : HypervisorBase
{
    /// <summary>Its name.</summary>
    public const string BackendName = "kvm";

    internal KvmBackend(KvmPlatform platform, ILoggerFactory? loggerFactory)
        : base(Declare(platform), loggerFactory) => Platform = platform;

    internal KvmPlatform Platform { get; }

    /// <inheritdoc/>
    protected override PartitionBase CreatePartitionCore(PartitionOptions options) => new KvmPartition(this, options);

    private static HypervisorCapabilities Declare(KvmPlatform platform)
    {
        List<Capability> declared =
        [
            Capability.DirtyTracking, Capability.Doorbells, Capability.TranslationPageSize, Capability.PreciseSplitAccess, Capability.MultipleProcessors,
            Capability.ThreadMigration, Capability.LegacyPaging, Capability.EventState,
        ];
        Add(Capability.MsrExits, platform.HasMsrExits);
        Add(Capability.TimeControl, platform.HasTscOffset);
        Add(Capability.LocalApic, platform.HasLocalApic);
        Add(Capability.X2Apic, platform.HasLocalApic && platform.HasX2ApicApi);
        return new HypervisorCapabilities(BackendName, declared)
        {
            MaximumProcessors = platform.MaximumProcessors,
            PhysicalAddressBits = platform.PhysicalAddressBits,
            CpuProfiles = KvmProcessorProfile.Provided(platform),
            Quirks = [.. Differences(platform)],
        };

        void Add(Capability capability, bool there)
        {
            if (there)
                declared.Add(capability);
        }
    }

    private static IEnumerable<Quirk> Differences(KvmPlatform platform)
    {
        yield return new Quirk("hidden-instructions-execute", "Instructions that the CPU profile hides may execute all the same.");
        if (!platform.HasTscControl)
            yield return new Quirk("host-frequency", "The time-stamp counter runs at the host's frequency, not at that of the CPU profile; CPUID shows which.");
        if (!platform.HasTscOffset)
            yield return new Quirk("host-time", "The guest's time-stamp counter is the host's: what is written to it is lost, and it cannot be stopped.");
    }
}
