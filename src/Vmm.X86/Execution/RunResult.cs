namespace Vmm.X86.Execution;

/// <summary>Why <see cref="ProcessorCore.Execute"/> returned. RIP and every register are exact in all cases.</summary>
public enum RunResult
{
    /// <summary>One instruction done (only from <see cref="ProcessorCore.ExecuteOne"/>), or a string instruction's part.</summary>
    Done,

    /// <summary><see cref="VcpuState.Kick"/> is set.</summary>
    Kick,

    /// <summary>The instruction budget is used up.</summary>
    Budget,

    /// <summary><see cref="VcpuState.Fault"/> must be delivered; RIP is at the instruction that caused it.</summary>
    Fault,

    /// <summary><see cref="ProcessorCore.Request"/> must be answered, then the instruction at RIP run again.</summary>
    Exit,

    /// <summary>The processor is no longer <see cref="Activity.Running"/>: HLT or a shutdown; RIP is after the instruction.</summary>
    Idle,

    /// <summary>
    /// An instruction that may have changed what can be delivered (IF, NMI blocking, TPR, shadow, mode) has retired while
    /// <see cref="ProcessorCore.WindowRequested"/> was set, or an announced request waits in <see cref="ProcessorCore.Request"/>.
    /// </summary>
    Boundary,

    /// <summary><see cref="VcpuState.PendingDebugTrap"/> must be delivered: a trap after the instruction before RIP.</summary>
    DebugTrap,

    /// <summary>A breakpoint of the host's debugger stands at RIP.</summary>
    HostBreakpoint,
}
