namespace Vmm;

/// <summary>How a translation ended.</summary>
public enum TranslationStatus
{
    /// <summary>It succeeded.</summary>
    Success,

    /// <summary>A guest paging entry is not present.</summary>
    PageNotPresent,

    /// <summary>The guest's own page tables forbid the access.</summary>
    PrivilegeViolation,

    /// <summary>A reserved bit is set in a guest paging entry.</summary>
    ReservedBit,

    /// <summary>The linear address is not canonical.</summary>
    NonCanonical,

    /// <summary>The guest-physical address is not mapped.</summary>
    Unmapped,

    /// <summary>The second level forbids the access.</summary>
    AccessDenied,
}

/// <summary>Answer to the translation of a guest-linear address.</summary>
public readonly record struct LinearTranslationResult
{
    /// <summary>How it ended.</summary>
    public TranslationStatus Status { get; init; }

    /// <summary>Guest-physical address on success, or that of the paging entry that could not be read.</summary>
    public ulong PhysicalAddress { get; init; }

    /// <summary>
    /// Page size in bytes of the guest's mapping; 0 where the backend does not say (<see cref="Capability.TranslationPageSize"/>).
    /// </summary>
    public ulong PageSize { get; init; }

    /// <summary>Level of the entry that failed: 1 = page table, 4 = PML4; 0 where not known or no failure.</summary>
    public int FailingLevel { get; init; }
}

/// <summary>Answer to the translation of a guest-physical address.</summary>
public readonly record struct PhysicalTranslationResult
{
    /// <summary>How it ended.</summary>
    public TranslationStatus Status { get; init; }

    /// <summary>Rights at the address.</summary>
    public GuestAccess Access { get; init; }

    /// <summary>Page size in bytes of the nested mapping; 0 where the backend does not say.</summary>
    public ulong PageSize { get; init; }

    /// <summary>Level of the nested entry that failed; 0 where not known or no failure.</summary>
    public int FailingLevel { get; init; }
}
