using Microsoft.Extensions.Logging;
using Vmm.Kvm.Probes;

namespace Vmm.Kvm;

/// <summary>The hypervisor in the Linux kernel as a backend: guests run on the host's processors.</summary>
public sealed class KvmBackend : HypervisorBase
{
    /// <summary>Its name.</summary>
    public const string BackendName = "kvm";

    private const int DebugRegisters = 4;

    /// <summary>Makes the backend for clients: its limits are probed first, once for a process.</summary>
    internal KvmBackend(KvmPlatform platform, ILoggerFactory? loggerFactory, bool assist = true)
        : this(platform, loggerFactory, assist, Declare(platform, assist, ProbedLimits.Of(platform, assist)))
    {
    }

    private KvmBackend(KvmPlatform platform, ILoggerFactory? loggerFactory, bool assist, HypervisorCapabilities capabilities)
        : base(capabilities, loggerFactory)
    {
        Platform = platform;
        IsAssisted = assist;
    }

    /// <summary>The instruction assist is switched on.</summary>
    public static Capability InstructionAssist { get; } =
        new("instruction-assist",
            "Instructions that the kernel fails at are finished by the interpreter, one at a time; the option assist=off switches it off.");

    internal KvmPlatform Platform { get; }

    internal bool IsAssisted { get; }

    /// <summary>The backend before anything is known of its limits: for the probes.</summary>
    internal static KvmBackend ForProbing(KvmPlatform platform, bool assist) =>
        new(platform, null, assist, Declare(platform, assist, null));

    /// <inheritdoc/>
    protected override PartitionBase CreatePartitionCore(PartitionOptions options) => new KvmPartition(this, options);

    private static HypervisorCapabilities Declare(KvmPlatform platform, bool assist, HostLimits? limits)
    {
        List<Capability> declared =
        [
            Capability.DirtyTracking, Capability.Doorbells, Capability.TranslationPageSize, Capability.MultipleProcessors,
            Capability.ThreadMigration, Capability.EventState,
        ];
        Add(InstructionAssist, assist);
        Add(Capability.SingleStep, assist && platform.HasGuestDebug);
        Add(Capability.Breakpoints, platform.HasGuestDebug && (limits is null || limits.Allows(Capability.Breakpoints)));
        Add(Capability.Watchpoints, platform.HasGuestDebug && (limits is null || limits.Allows(Capability.Watchpoints)));
        Add(Capability.LegacyPaging, limits is null || limits.Allows(Capability.LegacyPaging));
        Add(Capability.PreciseSplitAccess, limits is null || limits.Allows(Capability.PreciseSplitAccess));
        Add(Capability.MsrExits, platform.HasMsrExits);
        Add(Capability.TimeControl, platform.HasTscOffset);
        Add(Capability.LocalApic, platform.HasLocalApic);
        Add(Capability.X2Apic, platform.HasLocalApic && platform.HasX2ApicApi);
        return new HypervisorCapabilities(BackendName, declared)
        {
            MaximumProcessors = platform.MaximumProcessors,
            DebugPointLimit = platform.HasGuestDebug ? DebugRegisters : 0,
            PhysicalAddressBits = platform.PhysicalAddressBits,
            CpuProfiles = KvmProcessorProfile.Provided(platform),
            Quirks = [.. Differences(platform), .. AbsentByInterface.Of(limits), .. limits?.Quirks ?? []],
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
            yield return new Quirk("host-frequency",
                "The time-stamp counter runs at the host's frequency, not at that of the CPU profile; CPUID shows which.");
        if (!platform.HasTscOffset)
        {
            yield return new Quirk("host-time",
                "The guest's time-stamp counter is the host's: what is written to it is lost, and it cannot be stopped.");
            yield return new Quirk(Capability.TimeControl.Name,
                "The guest's time-stamp counter, set to 2^60 by KVM_SET_MSRS, was read otherwise: it would go on while all else stands still.");
        }
    }
}
