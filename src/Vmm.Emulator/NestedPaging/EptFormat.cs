namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// Intel's extended page tables with accessed and dirty flags enabled (SDM Vol. 3C 29.3.2, tables 29-1 to 29-6).
/// </summary>
/// <param name="executeOnly">Pages that can be executed and not read are allowed (IA32_VMX_EPT_VPID_CAP bit 0).</param>
internal readonly struct EptFormat(bool executeOnly) : INestedFormat
{
    private const ulong Read = 1 << 0;
    private const ulong Write = 1 << 1;
    private const ulong Execute = 1 << 2;
    private const ulong RightsMask = Read | Write | Execute;
    private const int MemoryTypeShift = 3;
    private const ulong WriteBack = 6UL << MemoryTypeShift;
    private const ulong IgnorePat = 1 << 6;

    // Uncacheable 0, write-combining 1, write-through 4, write-protected 5, write-back 6.
    private const int LegalMemoryTypes = 0b0111_0011;

    private const ulong TableReserved = 0x78 | NestedEntry.AddressReserved;
    private const ulong RootReserved = NestedEntry.Large | TableReserved;
    private const ulong TwoMegabyteReserved = 0x1F_F000 | NestedEntry.AddressReserved;
    private const ulong GigabyteReserved = 0x3FFF_F000 | NestedEntry.AddressReserved;

    public static ulong Accessed => 1 << 8;

    public static ulong Dirty => 1 << 9;

    public static string Name => "ept";

    public static bool IsPresent(ulong entry) => (entry & RightsMask) != 0;

    public static ulong Accumulate(ulong entry) => entry;

    public static GuestAccess RightsOf(ulong accumulated) => (GuestAccess)(accumulated & RightsMask);

    public static ulong TableEntry(ulong address) => address | RightsMask;

    public static ulong PageEntry(ulong address, int level, GuestAccess rights)
    {
        ulong entry = address | (ulong)rights | WriteBack | IgnorePat;
        if (level > 1)
            entry |= NestedEntry.Large;
        return rights == GuestAccess.None ? entry | NestedEntry.Held : entry;
    }

    public bool CanExpress(GuestAccess rights) => executeOnly || rights != GuestAccess.Execute;

    public bool IsMisconfigured(ulong entry, int level)
    {
        ulong rights = entry & RightsMask;
        if ((rights & (Read | Write)) == Write || (rights == Execute && !executeOnly))
            return true;
        if (level != 1 && (entry & NestedEntry.Large) == 0)
            return (entry & TableReserved) != 0;
        ulong reserved = level switch
        {
            1 => NestedEntry.AddressReserved,
            2 => TwoMegabyteReserved,
            3 => GigabyteReserved,
            _ => RootReserved,
        };
        return (entry & reserved) != 0 || ((LegalMemoryTypes >> (int)((entry >> MemoryTypeShift) & 7)) & 1) == 0;
    }
}
