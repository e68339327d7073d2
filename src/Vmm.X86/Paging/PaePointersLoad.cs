namespace Vmm.X86.Paging;

/// <summary>How a load of the PAE page-directory-pointer registers ended.</summary>
public enum PaePointersLoad : byte
{
    /// <summary>All four are valid.</summary>
    Loaded,

    /// <summary>A present entry has a reserved bit set: the instruction that loads them raises #GP(0) and changes nothing.</summary>
    ReservedBit,

    /// <summary>The second level refuses the read of an entry.</summary>
    EntryUnreachable,
}
