using Microsoft.Extensions.Logging;

namespace Vmm.Emulator;

/// <summary>The managed x86-64 emulator as a backend: no privilege, no native binary, any host.</summary>
/// <remarks>
/// It runs in the client's own process: guests cannot reach host memory, but a defect of the emulator would not be contained by anything
/// else.
/// </remarks>
public sealed class EmulatorHypervisor : HypervisorBase
{
    /// <summary>Guest-physical address width in bits.</summary>
    public const int AddressBits = 46;

    /// <summary>Most virtual processors of a partition.</summary>
    public const int ProcessorLimit = 64;

    /// <summary>Makes the backend.</summary>
    /// <param name="loggerFactory">Where it logs; null for nowhere.</param>
    public EmulatorHypervisor(ILoggerFactory? loggerFactory = null)
        : base(Declare(), loggerFactory)
    {
    }

    /// <inheritdoc/>
    protected override PartitionBase CreatePartitionCore(PartitionOptions options) => new EmulatorPartition(this, options);

    /// <summary>Most breakpoints and watchpoints of the host's debugger on one processor.</summary>
    public const int PointLimit = 1024;

    private static HypervisorCapabilities Declare() => new(
        "emulator",
        [
            Capability.SlatFormatChoice, Capability.LocalApic, Capability.X2Apic, Capability.CpuidExits, Capability.MsrExits, Capability.ExceptionExits,
            Capability.Hypercalls, Capability.ExecuteProtection, Capability.ExecuteOnly,
            Capability.DirtyTracking, Capability.Doorbells, Capability.InstructionBudget,
            Capability.InstructionCounting, Capability.TimeControl, Capability.VirtualTime, Capability.TranslationPageSize, Capability.PreciseSplitAccess,
            Capability.WalkViolations, Capability.MultipleProcessors, Capability.ThreadMigration, Capability.LegacyPaging, Capability.EventState, Capability.StartupState,
            Capability.Breakpoints, Capability.Watchpoints, Capability.SingleStep,
        ])
    {
        MaximumProcessors = ProcessorLimit,
        PhysicalAddressBits = AddressBits,
        DebugPointLimit = PointLimit,
        InterceptableExceptions = uint.MaxValue & ~(1U << 2),
        SlatFormats = [SlatFormat.Ept, SlatFormat.Npt, SlatFormat.None],
        CpuProfiles = [.. Vmm.CpuProfiles.All.Select(profile => profile.Name)],
    };
}
