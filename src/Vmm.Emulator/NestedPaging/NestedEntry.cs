namespace Vmm.Emulator.NestedPaging;

/// <summary>What the entries of both formats have in common.</summary>
internal static class NestedEntry
{
    /// <summary>The root's level; level 1 entries map 4 KiB.</summary>
    public const int RootLevel = 4;

    /// <summary>1 GiB: the largest page.</summary>
    public const int LargestPageLevel = 3;

    /// <summary>Bits of guest-physical address that four levels translate.</summary>
    public const int AddressWidth = 48;

    /// <summary>The entry maps a page although its level is not the last.</summary>
    public const ulong Large = 1 << 7;

    /// <summary>Ignored by the formats: the page is under dirty logging and stays 4 KiB.</summary>
    public const ulong Logged = 1UL << 52;

    /// <summary>Ignored by the formats: an entry that is not present maps a page without any right, not a hole.</summary>
    public const ulong Held = 1UL << 53;

    /// <summary>
    /// Ignored by the formats, beside <see cref="Held"/>: fetches are allowed, nothing else is. For a format that has no such page: the
    /// entry is not present, and the fault that a fetch takes is resolved by this flag, as a hypervisor would.
    /// </summary>
    public const ulong FetchOnly = 1UL << 54;

    /// <summary>Bits 47:12: host addresses of processes end there.</summary>
    public const ulong AddressMask = 0x0000_FFFF_FFFF_F000;

    /// <summary>Bits that no host address reaches, reserved in present entries.</summary>
    public const ulong AddressReserved = 0x000F_0000_0000_0000;

    /// <summary>The place of a page or table index in an address, and the size of a page of a level, as a power of two.</summary>
    public static int Shift(int level) => 3 + (9 * level);

    /// <summary>Which entry of a table of this level an address selects.</summary>
    public static int Index(ulong address, int level) => (int)(address >> Shift(level)) & 0x1FF;

    /// <summary>Whether an entry maps a page, with or without rights, rather than pointing to a table.</summary>
    public static bool IsPage(ulong entry, int level) => level == 1 || (entry & (Large | Held)) != 0;
}
