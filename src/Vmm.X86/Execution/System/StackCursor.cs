namespace Vmm.X86.Execution;

/// <summary>
/// A stack being pushed to or popped from without its registers being committed: the present one, or one about to be switched to.
/// </summary>
// SAFETY: the host page is one that the reservation has just translated, and lives no longer than the instruction.
internal unsafe struct StackCursor
{
    /// <summary>The stack segment; its base and limit count unless <see cref="Flat"/>.</summary>
    public SegmentRegister Segment;

    /// <summary>The stack pointer so far.</summary>
    public ulong Pointer;

    /// <summary>Which bits of the pointer take part: 16, 32 or 64.</summary>
    public ulong Mask;

    /// <summary>64-bit stack: no segment, canonical check only.</summary>
    public bool Flat;

    /// <summary>Accesses have user rights.</summary>
    public bool User;

    /// <summary>Error code of the #SS that a limit or canonical violation gives.</summary>
    public uint ErrorCode;

    /// <summary>Host address of the reserved frame's page when all of the frame lies in plain memory of one page, else null.</summary>
    public byte* HostPage;
}
