namespace Vmm.X86.Execution;

/// <summary>An event to deliver or being delivered.</summary>
public struct PendingEvent
{
    /// <summary>How it came about; <see cref="EventKind.None"/>: there is no event.</summary>
    public EventKind Kind;

    /// <summary>Vector, 0 to 255.</summary>
    public byte Vector;

    /// <summary>An error code is pushed (never in real mode).</summary>
    public bool HasErrorCode;

    /// <summary>
    /// Length in bytes of the instruction that caused a software event: the pushed RIP is that much further. 0 for the others.
    /// </summary>
    public byte InstructionLength;

    /// <summary>Error code.</summary>
    public uint ErrorCode;

    /// <summary>CR2 for #PF, the bits to merge in DR6 for #DB; else ignored.</summary>
    public ulong Payload;
}
