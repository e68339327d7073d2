using Microsoft.Extensions.Logging;
using Vmm.WindowsHypervisor.Interop;
using Vmm.X86.Events;
using Vmm.WindowsHypervisor.Interop.Probing;

namespace Vmm.WindowsHypervisor;

/// <summary>The Windows Hypervisor Platform as a backend: guests run on the host's processors, isolated by its hypervisor.</summary>
public sealed class WindowsHypervisorBackend : HypervisorBase, IProbedPlatform
{
    /// <summary>Its name.</summary>
    public const string BackendName = "whp";

    private const int ProcessorLimit = 64;

    internal WindowsHypervisorBackend(in WhvApi api, ILoggerFactory? loggerFactory, string name = BackendName)
        : this(new WhvPlatform(in api), loggerFactory, name)
    {
    }

    private WindowsHypervisorBackend(WhvPlatform platform, ILoggerFactory? loggerFactory, string name)
        : base(Declare(platform, name), loggerFactory) => Platform = platform;

    internal WhvPlatform Platform { get; }

    PlatformProbe IProbedPlatform.CreateProbe() => new(in Platform.Api);

    /// <inheritdoc/>
    protected override PartitionBase CreatePartitionCore(PartitionOptions options) => new WhvPartition(this, options);

    private static HypervisorCapabilities Declare(WhvPlatform platform, string name)
    {
        List<Capability> declared =
        [
            Capability.ExecuteProtection, Capability.Doorbells, Capability.TranslationPageSize, Capability.PreciseSplitAccess,
            Capability.WalkViolations, Capability.MultipleProcessors, Capability.ThreadMigration, Capability.LegacyPaging, Capability.EventState,
        ];
        Add(Capability.CpuidExits, platform.Exits.X64CpuidExit);
        Add(Capability.MsrExits, platform.HasMsrActions);
        Add(Capability.ExceptionExits, platform.Exits.ExceptionExit);
        Add(Capability.Hypercalls, platform.Exits.HypercallExit);
        Add(Capability.LocalApic, platform.HasApicState);
        Add(Capability.X2Apic, platform.HasApicState);
        Add(Capability.DirtyTracking, platform.HasDirtyTracking);
        Add(Capability.TimeControl, platform.HasTimeControl);
        Add(Capability.SingleStep, platform.HasLateExceptionExits);
        Add(Capability.Breakpoints, platform.HasLateExceptionExits);
        Add(Capability.Watchpoints, platform.HasLateExceptionExits);
        return new HypervisorCapabilities(name, declared)
        {
            MaximumProcessors = ProcessorLimit,
            PhysicalAddressBits = platform.PhysicalAddressBits,
            InterceptableExceptions = platform.InterceptableExceptions,
            DebugPointLimit = platform.HasLateExceptionExits ? DebugPointRegisters.Count : 0,
            CpuProfiles = WhvProcessorProfile.Provided(platform),
            Quirks =
            [
                new Quirk("one-mapped-partition", "One partition of a process at a time can have memory mapped."),
                new Quirk("hidden-instructions-execute", "Instructions that the CPU profile hides may execute all the same."),
            ],
        };

        void Add(Capability capability, bool there)
        {
            if (there)
                declared.Add(capability);
        }
    }
}
