namespace Vmm.X86.Paging;

/// <summary>Bits of the guest's paging-structure entries (SDM Vol. 3A tables 4-4 to 4-20).</summary>
internal static class PageEntry
{
    public const ulong Present = 1 << 0;
    public const ulong Writable = 1 << 1;
    public const ulong User = 1 << 2;
    public const ulong Accessed = 1 << 5;
    public const ulong Dirty = 1 << 6;
    public const ulong PageSize = 1 << 7;
    public const ulong Global = 1 << 8;
    public const ulong ExecuteDisable = 1UL << 63;

    /// <summary>Bits 62:59 of an entry that maps a page are its protection key.</summary>
    public const int ProtectionKeyShift = 59;

    /// <summary>Bits that may change under a walk without changing what the entry says: A, D and the three for software.</summary>
    public const ulong Harmless = Accessed | Dirty | 0xE00;

    /// <summary>Low address bits of a large page, reserved in the entry; bit 12 is the PAT bit.</summary>
    public const ulong TwoMegabyteReserved = 0x1F_E000;
    public const ulong GigabyteReserved = 0x3FFF_E000;

    public const ulong PageMask = ~0xFFFUL;
    public const ulong PaeRootMask = 0xFFFF_FFE0;
    public const ulong PaePointerReserved = 0x1E6;
    public const ulong ThirtyTwoBitRootMask = 0xFFFF_F000;

    /// <summary>Bits 20:13 of a 4 MiB entry are bits 39:32 of its address where PSE-36 reaches that far.</summary>
    public const int PageSizeExtensionShift = 13;
    public const int PageSizeExtensionBits = 8;
    public const uint FourMegabyteMask = 0xFFC0_0000;
    public const uint FourMegabyteHighField = 0x3F_E000;
}
