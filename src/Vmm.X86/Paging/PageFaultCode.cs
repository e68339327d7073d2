namespace Vmm.X86.Paging;

/// <summary>The error code that a page fault pushes (SDM Vol. 3A 4.7, figure 4-12).</summary>
[Flags]
public enum PageFaultCode : uint
{
    /// <summary>A supervisor-mode read of a page that is not present.</summary>
    None = 0,

    /// <summary>P: the fault was a protection violation or a reserved bit, not an entry that is not present.</summary>
    Present = 1 << 0,

    /// <summary>W/R: the access was a write.</summary>
    Write = 1 << 1,

    /// <summary>U/S: the access was a user-mode access.</summary>
    User = 1 << 2,

    /// <summary>RSVD: a present entry had a reserved bit set.</summary>
    Reserved = 1 << 3,

    /// <summary>I/D: the access was an instruction fetch and execution can be forbidden (SMEP, or PAE entries with EFER.NXE).</summary>
    InstructionFetch = 1 << 4,

    /// <summary>PK: the page's protection key refuses the access.</summary>
    ProtectionKey = 1 << 5,
}
