namespace Vmm.Machines;

/// <summary>The processor mode in which a flat image starts.</summary>
public enum EntryMode
{
    /// <summary>Real mode, 16 bits: CS:IP reaches the entry, the other segments are 0.</summary>
    Real,

    /// <summary>Protected mode, 32 bits, flat segments, no paging.</summary>
    Protected,

    /// <summary>Long mode, 64 bits, the first 4 GiB mapped to themselves.</summary>
    Long,
}
