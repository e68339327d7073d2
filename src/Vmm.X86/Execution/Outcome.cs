namespace Vmm.X86.Execution;

/// <summary>How one instruction ended.</summary>
public enum Outcome
{
    /// <summary>Done: go on after it.</summary>
    Next = 0,

    /// <summary>Done, and it wrote <see cref="VcpuState.Rip"/> itself.</summary>
    Branch,

    /// <summary>Done: go on after it, but leave the block (mode, paging, interrupt flag or code changed).</summary>
    NextBlock,

    /// <summary>A string instruction made progress and is not finished: registers are exact, RIP stays at the instruction.</summary>
    Repeat,

    /// <summary>Stopped by an exception recorded in <see cref="VcpuState.Fault"/>; nothing was committed.</summary>
    Fault,

    /// <summary>
    /// Stopped for something outside the processor (<see cref="ProcessorCore.Request"/>); nothing was committed, run it again once that is
    /// answered.
    /// </summary>
    Exit,

    /// <summary>
    /// Stopped because every other processor of the partition must stand still for it (a locked access that the host cannot make as one);
    /// nothing was committed.
    /// </summary>
    Exclusive,
}

/// <summary>What a processor is doing between instructions (SDM Vol. 3C 25.4.2 calls it the activity state).</summary>
public enum Activity : byte
{
    /// <summary>Executing.</summary>
    Running,

    /// <summary>After HLT: until an interrupt, NMI, or INIT.</summary>
    Halted,

    /// <summary>After INIT on an application processor.</summary>
    WaitForSipi,

    /// <summary>After a triple fault.</summary>
    Shutdown,
}

/// <summary>Which one-instruction shadow is in force (SDM Vol. 3A 6.8.3).</summary>
public enum InterruptShadow : byte
{
    /// <summary>None.</summary>
    None,

    /// <summary>After STI: maskable interrupts wait.</summary>
    Sti,

    /// <summary>After MOV SS or POP SS: interrupts, NMIs and debug traps wait.</summary>
    MovSs,
}

/// <summary>An exception that stopped an instruction.</summary>
public struct PendingFault
{
    /// <summary>Vector, 0 to 31.</summary>
    public byte Vector;

    /// <summary>Whether the exception pushes an error code.</summary>
    public bool HasErrorCode;

    /// <summary>Error code.</summary>
    public uint ErrorCode;

    /// <summary>CR2 for #PF; the bits to merge in DR6 for #DB.</summary>
    public ulong Payload;
}
