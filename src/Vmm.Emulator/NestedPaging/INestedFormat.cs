namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// The layout of the entries of a four-level second-level table. Implemented by structs and used through a generic constraint, so that the
/// walk of each format is compiled for it.
/// </summary>
internal interface INestedFormat
{
    /// <summary>The accessed flag.</summary>
    static abstract ulong Accessed { get; }

    /// <summary>The dirty flag of an entry that maps a page.</summary>
    static abstract ulong Dirty { get; }

    /// <summary>The format's name, as options and statistics spell it.</summary>
    static abstract string Name { get; }

    /// <summary>Whether an entry says that something is there.</summary>
    static abstract bool IsPresent(ulong entry);

    /// <summary>An entry in the form whose AND over all levels gives the rights; a present entry.</summary>
    static abstract ulong Accumulate(ulong entry);

    /// <summary>The rights that an AND of accumulated entries gives.</summary>
    static abstract GuestAccess RightsOf(ulong accumulated);

    /// <summary>An entry that points to a table and takes no right away.</summary>
    static abstract ulong TableEntry(ulong address);

    /// <summary>An entry that maps a page of write-back memory; A and D clear. Without rights it is one that is not present.</summary>
    static abstract ulong PageEntry(ulong address, int level, GuestAccess rights);

    /// <summary>Whether the format has any value for these rights.</summary>
    bool CanExpress(GuestAccess rights);

    /// <summary>Whether a present entry has a value that the format forbids at its level, 1 (maps 4 KiB) to 4 (root).</summary>
    bool IsMisconfigured(ulong entry, int level);
}
