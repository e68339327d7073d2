namespace Vmm.X86.Execution;

/// <summary>Answer of the second level for one guest-physical page.</summary>
public unsafe struct PhysicalPage
{
    /// <summary>Host address of the page's first byte; null unless <see cref="Kind"/> is <see cref="PhysicalPageKind.Memory"/>.</summary>
    public byte* Host;

    /// <summary>What is there.</summary>
    public PhysicalPageKind Kind;

    /// <summary>
    /// Stores must be reported through <see cref="ProcessorCore.OnTrackedWrite"/>: the page holds decoded code, so it gets no write entry.
    /// </summary>
    public bool TrackWrites;
}

/// <summary>What a guest-physical page is, for one kind of access.</summary>
public enum PhysicalPageKind : byte
{
    /// <summary>Memory, and the access is allowed.</summary>
    Memory,

    /// <summary>Nothing is mapped.</summary>
    Unmapped,

    /// <summary>Mapped, but the access is forbidden.</summary>
    Forbidden,
}

/// <summary>An access as the second level sees it.</summary>
public enum PhysicalAccess : byte
{
    /// <summary>Data read.</summary>
    Read,

    /// <summary>Data write.</summary>
    Write,

    /// <summary>Instruction fetch.</summary>
    Execute,

    /// <summary>Read of a guest paging structure.</summary>
    WalkRead,

    /// <summary>Write of an accessed or dirty flag in a guest paging structure.</summary>
    WalkWrite,
}
