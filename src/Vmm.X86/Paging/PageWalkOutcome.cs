namespace Vmm.X86.Paging;

/// <summary>How a walk of the guest's paging structures ended.</summary>
public enum PageWalkOutcome : byte
{
    /// <summary>The access is allowed and the physical address is known.</summary>
    Translated,

    /// <summary>The guest's own structures refuse the access: the guest gets a page fault with the error code of the result.</summary>
    PageFault,

    /// <summary>
    /// An entry of the guest's structures could not be reached through the second level (a hole, or a page without the rights a walk
    /// needs).
    /// That is not the guest's fault to see; the memory seam knows why, the result names the entry's address.
    /// </summary>
    EntryUnreachable,
}
