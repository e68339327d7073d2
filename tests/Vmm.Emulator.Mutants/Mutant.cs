namespace Vmm.Emulator.Mutants;

/// <summary>The ways in which this copy of the emulator can be broken.</summary>
public enum Mutant
{
    /// <summary>None: it is the emulator.</summary>
    None,

    /// <summary>Stores through 4-level tables do not set the dirty bit.</summary>
    DirtyBitNotSet,

    /// <summary>No-execute pages can be executed.</summary>
    NoExecuteIgnored,

    /// <summary>Page faults of level 3 lack the user bit in their error code.</summary>
    PageFaultWithoutUserBit,

    /// <summary>CR2 holds the page, not the address.</summary>
    Cr2WithoutOffset,

    /// <summary>Maskable interrupts are taken with IF clear.</summary>
    InterruptFlagIgnored,

    /// <summary>STI lets an interrupt in before the next instruction.</summary>
    StiWithoutShadow,

    /// <summary>An NMI can interrupt the handler of another.</summary>
    NmiNotBlocked,

    /// <summary>Code that the guest rewrites is run as it was.</summary>
    GuestCodeChangeMissed,

    /// <summary>Code that the host rewrites is run as it was.</summary>
    HostCodeChangeMissed,

    /// <summary>INC sets the carry flag.</summary>
    IncSetsCarry,

    /// <summary>A single step shows as breakpoint 0 in DR6.</summary>
    StepBitMissing,

    /// <summary>IRET in protected mode leaves the flags alone.</summary>
    IretKeepsFlags,

    /// <summary>INVLPG does nothing.</summary>
    InvlpgIgnored,

    /// <summary>INVLPG leaves global translations.</summary>
    InvlpgKeepsGlobal,

    /// <summary>A load of CR3 forgets no translation.</summary>
    Cr3LoadForgetsNothing,

    /// <summary>Cached translations survive changes of the second level.</summary>
    TlbKeptOnChange,

    /// <summary>Locked instructions read, and write a moment later.</summary>
    LockNotAtomic,

    /// <summary>Locked accesses that cross cache lines do not stop the other processors.</summary>
    SplitLockNotAtomic,

    /// <summary>A start-up interrupt starts a processor at address 0, whatever its vector.</summary>
    StartupPageIgnored,

    /// <summary>The shorthand for all others reaches the sender too.</summary>
    OthersIncludeSender,

    /// <summary>Code that a processor rewrites is dropped by itself alone.</summary>
    ForeignCodeKept,

    /// <summary>A change of the second level is noticed by the first processor alone.</summary>
    ForeignTranslationsKept,

    /// <summary>Code at a breakpoint's page offset is linked, and entered without a look at the breakpoint.</summary>
    HostBreakpointLinked,

    /// <summary>A step of the host's debugger is led away by an interrupt.</summary>
    HostStepInterrupted,

    /// <summary>The frame of an event is pushed past the watchpoints.</summary>
    HostWatchpointMissesFrames,

    /// <summary>A watchpoint is hit by an instruction that did not complete.</summary>
    HostWatchpointHitByFault,
}
