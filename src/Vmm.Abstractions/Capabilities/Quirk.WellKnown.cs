namespace Vmm;

public sealed partial record Quirk
{
    /// <summary>Software interrupts and their return in protected mode.</summary>
    public static Quirk ProtectedModeInterrupts { get; } =
        new("protected-mode-interrupts", "INT n, INT3 or IRET do not work at level 0 of 16-bit or 32-bit protected mode.");

    /// <summary>Software interrupts in 64-bit mode.</summary>
    public static Quirk LongModeInterrupts { get; } = new("long-mode-interrupts", "INT n or INT3 do not work at level 0 of 64-bit mode.");

    /// <summary>Software interrupts of user code.</summary>
    public static Quirk UserInterrupts { get; } = new("user-interrupts", "INT n at level 3 of 64-bit mode does not reach its gate.");

    /// <summary>Far returns to an outer level.</summary>
    public static Quirk OutwardReturn { get; } = new("outward-return", "RETF to a less privileged level does not work.");

    /// <summary>SYSCALL and SYSRET.</summary>
    public static Quirk SystemCalls { get; } = new("system-calls", "SYSCALL or SYSRET do not change the privilege level as they should.");

    /// <summary>x87 at level 0.</summary>
    public static Quirk SupervisorX87 { get; } = new("supervisor-x87", "x87 instructions do not work at level 0.");

    /// <summary>MMX, SSE and AVX at level 0.</summary>
    public static Quirk SupervisorVectors { get; } = new("supervisor-vectors", "MMX, SSE or AVX instructions do not work at level 0.");

    /// <summary>x87 at level 3.</summary>
    public static Quirk UserX87 { get; } = new("user-x87", "x87 instructions do not work at level 3 of 64-bit mode.");

    /// <summary>SSE at level 3.</summary>
    public static Quirk UserVectors { get; } = new("user-vectors", "SSE instructions do not work at level 3 of 64-bit mode.");

    /// <summary>Less usual general instructions at level 0.</summary>
    public static Quirk SupervisorInstructions { get; } =
        new("supervisor-instructions", "Less usual general instructions (POPCNT, BMI, decimal adjustment, BOUND, LAR and their like) do not work at level 0.");

    /// <summary>User code outside 64-bit mode.</summary>
    public static Quirk LegacyUserCode { get; } =
        new("legacy-user-code", "At level 3 outside 64-bit mode, instructions that work elsewhere are #UD.");

    /// <summary>CPUID shows more than the profile.</summary>
    public static Quirk CpuidUnmasked { get; } = new("cpuid-unmasked", "CPUID shows features of the host that the CPU profile hides.");

    /// <summary>Data breakpoints.</summary>
    public static Quirk DataBreakpoints { get; } = new("data-breakpoints", "The guest's own data breakpoints are not hit.");

    /// <summary>Execute breakpoints.</summary>
    public static Quirk ExecuteBreakpoints { get; } = new("execute-breakpoints", "The guest's own instruction breakpoints are not hit.");

    /// <summary>Single step.</summary>
    public static Quirk TrapFlag { get; } = new("trap-flag", "The guest's trap flag does not trap after each instruction.");

    /// <summary>Triple faults in real mode.</summary>
    public static Quirk RealModeShutdown { get; } =
        new("real-mode-shutdown", "Real mode does not heed the limit of the interrupt vector table, so that nothing is a triple fault there.");

    /// <summary>VMCALL outside a hypervisor that exits for it.</summary>
    public static Quirk HypercallsAnswered { get; } =
        new("hypercalls-answered", "VMCALL and VMMCALL are answered by the host, or hang until the run is cancelled, instead of raising #UD.");

    /// <summary>State of the host that user code sees.</summary>
    public static Quirk UserSeesHost { get; } =
        new(
            "user-sees-host",
            "Level 3 of 64-bit mode runs with IF, IOPL and selectors of the host: ports go by the permission map alone, "
                + "PUSHF and MOV from a segment register show what is not the guest's.");

    /// <summary>Interrupts, NMIs and ends of interrupts come late.</summary>
    public static Quirk LateInterrupts { get; } = new(
        "late-interrupts",
        "Interrupts and NMIs that become possible between two exits are taken some instructions later than by a processor, ends of interrupts reported so.");

    /// <summary>16-bit gates.</summary>
    public static Quirk WideFrames { get; } = new("wide-frames", "Events through 16-bit gates push 32-bit frames.");

    /// <summary>Lowest-priority delivery.</summary>
    public static Quirk LowestPriorityByTurns { get; } =
        new("lowest-priority-by-turns", "Lowest-priority interrupts go to the named processors by turns, whatever their task priorities.");

    /// <summary>MSRs take bad values.</summary>
    public static Quirk LenientMsrs { get; } = new("lenient-msrs", "WRMSR takes reserved values of some registers instead of raising #GP.");

    /// <summary>No processor runs the guest's privileged code.</summary>
    public static Quirk EmulatedProcessor { get; } =
        new(
            "emulated-processor",
            "The host runs level 0 one instruction at a time in software: expect a few hundred thousand instructions a second, "
                + "and locked accesses across pages that are not atomic.");
}
