namespace Vmm.X86.Paging;

/// <summary>The answer of the memory seam to a compare-exchange of a paging-structure entry.</summary>
public enum EntryExchange : byte
{
    /// <summary>The entry had the expected value and now has the new one.</summary>
    Exchanged,

    /// <summary>The entry had another value, which is returned; nothing was written.</summary>
    Changed,

    /// <summary>The second level refuses the access; nothing was read or written.</summary>
    Unreachable,
}
