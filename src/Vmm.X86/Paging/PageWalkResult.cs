namespace Vmm.X86.Paging;

/// <summary>What a walk found. Which members mean something depends on <see cref="Outcome"/>.</summary>
public struct PageWalkResult
{
    /// <summary>
    /// Translated: the guest-physical address, offset included. Entry unreachable: that of the entry. Page fault: that of the failing
    /// entry.
    /// </summary>
    public ulong PhysicalAddress;

    /// <summary>Page fault: the error code; 0 otherwise.</summary>
    public PageFaultCode ErrorCode;

    /// <summary>How the walk ended.</summary>
    public PageWalkOutcome Outcome;

    /// <summary>
    /// Translated: the level of the entry that maps the page, 1 to 3, and 0 when paging is off. Otherwise the level of the entry that
    /// failed, 1 (page table) to 5 (PML5); for a protection fault the highest level that refuses the access, and the mapping level when
    /// SMEP or SMAP refuses it.
    /// </summary>
    public byte Level;

    /// <summary>Translated: the size of the page as a power of two: 12, 21, 22 or 30. With paging off 12.</summary>
    public byte PageSizeLog2;

    /// <summary>Translated, or a protection fault: everything the page allows in this mode.</summary>
    public PageRights Rights;

    /// <summary>Translated: the page's D flag is set (after this access), so a later write needs no walk.</summary>
    public bool Dirty;

    /// <summary>Translated: the translation is global (G set and CR4.PGE = 1) and outlives a load of CR3.</summary>
    public bool Global;

    /// <summary>Translated: the page is a user-mode page (U/S set in every entry); SMEP and SMAP depend on it.</summary>
    public bool UserPage;
}
