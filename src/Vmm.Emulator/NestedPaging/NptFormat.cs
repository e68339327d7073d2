namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// AMD's nested page tables: long-mode page tables whose user flag must be set, since every guest access is a user access to them
/// (APM Vol. 2 15.25.5 and figures 5-20 to 5-27), walked with NXE on.
/// </summary>
internal readonly struct NptFormat : INestedFormat
{
    private const ulong Present = 1 << 0;
    private const ulong Writable = 1 << 1;
    private const ulong User = 1 << 2;
    private const ulong NoExecute = 1UL << 63;

    private const ulong RootReserved = 0x180 | NestedEntry.AddressReserved;

    // Bit 12 of a large page is its PAT flag.
    private const ulong TwoMegabyteReserved = 0x1F_E000 | NestedEntry.AddressReserved;
    private const ulong GigabyteReserved = 0x3FFF_E000 | NestedEntry.AddressReserved;

    public static ulong Accessed => 1 << 5;

    public static ulong Dirty => 1 << 6;

    public static string Name => "npt";

    public static bool IsPresent(ulong entry) => (entry & Present) != 0;

    public static ulong Accumulate(ulong entry) => entry ^ NoExecute;

    public static GuestAccess RightsOf(ulong accumulated)
    {
        if ((accumulated & User) == 0)
            return GuestAccess.None;
        GuestAccess rights = (accumulated & NoExecute) != 0 ? GuestAccess.Read | GuestAccess.Execute : GuestAccess.Read;
        return (accumulated & Writable) != 0 ? rights | GuestAccess.Write : rights;
    }

    public static ulong TableEntry(ulong address) => address | Present | Writable | User;

    public static ulong PageEntry(ulong address, int level, GuestAccess rights)
    {
        ulong entry = address | User;
        if (level > 1)
            entry |= NestedEntry.Large;
        if ((rights & GuestAccess.Write) != 0)
            entry |= Writable;
        if ((rights & GuestAccess.Execute) == 0)
            entry |= NoExecute;
        return rights switch
        {
            GuestAccess.None => entry | NestedEntry.Held,
            GuestAccess.Execute => entry | NestedEntry.Held | NestedEntry.FetchOnly,
            _ => entry | Present,
        };
    }

    public bool CanExpress(GuestAccess rights) => true;

    public bool IsMisconfigured(ulong entry, int level)
    {
        ulong reserved = NestedEntry.AddressReserved;
        if (level == NestedEntry.RootLevel)
            reserved = RootReserved;
        else if (level != 1 && (entry & NestedEntry.Large) != 0)
            reserved = level == 2 ? TwoMegabyteReserved : GigabyteReserved;
        return (entry & reserved) != 0;
    }
}
