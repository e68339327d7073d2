namespace Vmm.X86.Paging;

/// <summary>The form of the paging structures that CR0, CR4 and EFER select (SDM Vol. 3A 4.1.1).</summary>
public enum PagingStructure : byte
{
    /// <summary>CR0.PG = 0: a linear address is the physical address.</summary>
    None,

    /// <summary>Two levels of 4-byte entries, 4 KiB and 4 MiB pages (SDM Vol. 3A 4.3).</summary>
    ThirtyTwoBit,

    /// <summary>Four page-directory-pointer registers over two levels of 8-byte entries, 4 KiB and 2 MiB pages (SDM Vol. 3A 4.4).</summary>
    Pae,

    /// <summary>Four levels of 8-byte entries, 4 KiB, 2 MiB and 1 GiB pages (SDM Vol. 3A 4.5).</summary>
    FourLevel,

    /// <summary>Five levels of 8-byte entries, 4 KiB, 2 MiB and 1 GiB pages (SDM Vol. 3A 4.5).</summary>
    FiveLevel,
}
