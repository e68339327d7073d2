using System.Collections.Immutable;

namespace Vmm;

/// <summary>
/// An optional ability. Declared means that all its conformance cases pass; not declared means that the members that need it throw
/// <see cref="NotSupportedException"/> naming it. Backends may define their own.
/// </summary>
/// <param name="Name">Stable name, kebab case.</param>
/// <param name="Description">One sentence.</param>
public sealed record Capability(string Name, string Description)
{
    /// <summary>Choice of the nested-table format.</summary>
    public static Capability SlatFormatChoice { get; } = new("slat-format-choice", "The format of the nested page tables can be chosen.");

    /// <summary>A local APIC in the backend.</summary>
    public static Capability LocalApic { get; } = new("local-apic", "Each processor can have a local APIC inside the backend.");

    /// <summary>x2APIC.</summary>
    public static Capability X2Apic { get; } = new("x2apic", "The local APIC has x2APIC mode.");

    /// <summary>CPUID exits.</summary>
    public static Capability CpuidExits { get; } = new("cpuid-exits", "Chosen CPUID leaves exit.");

    /// <summary>MSR exits.</summary>
    public static Capability MsrExits { get; } = new("msr-exits", "Chosen MSR accesses exit, fault or are ignored.");

    /// <summary>Exception exits.</summary>
    public static Capability ExceptionExits { get; } = new("exception-exits", "Chosen exceptions exit instead of being delivered.");

    /// <summary>Hypercall exits.</summary>
    public static Capability Hypercalls { get; } = new("hypercalls", "VMCALL and VMMCALL can exit.");

    /// <summary>Execute protection.</summary>
    public static Capability ExecuteProtection { get; } = new("execute-protection", "Fetches from memory mapped without execute access are refused when asked for.");

    /// <summary>Execute-only mappings.</summary>
    public static Capability ExecuteOnly { get; } = new("execute-only", "Memory can be mapped for execution without read access.");

    /// <summary>Dirty tracking.</summary>
    public static Capability DirtyTracking { get; } = new("dirty-tracking", "Writes are tracked by 4 KiB page.");

    /// <summary>Doorbells.</summary>
    public static Capability Doorbells { get; } = new("doorbells", "A write to a chosen address signals without an exit.");

    /// <summary>Instruction budget.</summary>
    public static Capability InstructionBudget { get; } = new("instruction-budget", "A run can be bounded by retired instructions, exactly.");

    /// <summary>Instruction counting.</summary>
    public static Capability InstructionCounting { get; } = new("instruction-counting", "Retired instructions are counted exactly.");

    /// <summary>Time control.</summary>
    public static Capability TimeControl { get; } = new("time-control", "Partition time can be suspended and resumed.");

    /// <summary>Time counted in instructions.</summary>
    public static Capability VirtualTime { get; } = new("virtual-time", "Partition time can be counted in retired instructions, so that runs repeat exactly.");

    /// <summary>Page size in translations.</summary>
    public static Capability TranslationPageSize { get; } = new("translation-page-size", "Translations report page size and failing level.");

    /// <summary>Two halves of a page split.</summary>
    public static Capability PreciseSplitAccess { get; } = new("precise-split-access", "A translation fault on either page of a split access comes before any exit.");

    /// <summary>Walk violations.</summary>
    public static Capability WalkViolations { get; } = new("walk-violations", "A page walk that meets a hole or refused memory exits with the walk flag.");

    /// <summary>Several processors.</summary>
    public static Capability MultipleProcessors { get; } = new("multiple-processors", "A partition can have more than one processor.");

    /// <summary>Moving between threads.</summary>
    public static Capability ThreadMigration { get; } = new("thread-migration", "A processor may be run by another thread between runs.");

    /// <summary>Legacy paging.</summary>
    public static Capability LegacyPaging { get; } = new("legacy-paging", "32-bit and PAE paging work.");

    /// <summary>State of the local APIC and pending events can be read and written.</summary>
    public static Capability EventState { get; } = new("event-state", "Activity, shadows and pending events can be read and written.");

    /// <summary>State of INIT and start-up messages that wait.</summary>
    public static Capability StartupState { get; } = new("startup-state", "INIT and start-up messages that wait can be read and written.");

    /// <summary>Breakpoints of the host.</summary>
    public static Capability Breakpoints { get; } = new("breakpoints", "The host's debugger can set breakpoints that the guest does not see.");

    /// <summary>Watchpoints of the host.</summary>
    public static Capability Watchpoints { get; } = new("watchpoints", "The host's debugger can watch linear addresses, unseen by the guest.");

    /// <summary>Single step of the host.</summary>
    public static Capability SingleStep { get; } = new("single-step", "The host's debugger can run one instruction at a time, unseen by the guest.");

    /// <summary>All of the above.</summary>
    public static ImmutableArray<Capability> WellKnown { get; } =
    [
        SlatFormatChoice, LocalApic, X2Apic, CpuidExits, MsrExits, ExceptionExits, Hypercalls, ExecuteProtection, ExecuteOnly, DirtyTracking, Doorbells,
        InstructionBudget, InstructionCounting, TimeControl, VirtualTime, TranslationPageSize, PreciseSplitAccess, WalkViolations, MultipleProcessors, ThreadMigration,
        LegacyPaging, EventState, StartupState, Breakpoints, Watchpoints, SingleStep,
    ];

    /// <inheritdoc/>
    public override string ToString() => Name;
}
