using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>
/// The manual's tables read out bit by bit: slow, without masks shared with the walker. An entry is a list of named bit ranges.
/// </summary>
internal sealed class ReferenceWalk(SparseMemory memory, PagingFeatures features, ulong cr0, ulong cr3, ulong cr4, ulong efer)
{
    private bool Wp => Bit(cr0, 16);

    private bool Nxe => Bit(efer, 11);

    private bool Smep => Bit(cr4, 20);

    private bool Smap => Bit(cr4, 21);

    public bool LongMode { get; } = (efer & (1 << 10)) != 0;

    public readonly record struct Answer(uint? ErrorCode, ulong Physical, int SizeLog2);

    public Answer Translate(ulong linear, bool write, bool execute, bool user, bool smapOverride)
    {
        List<ulong> used = [];
        (bool present, bool reserved, ulong physical, int size) = LongMode || Bit(cr4, 5) ? Wide(linear, used) : Narrow(linear, used);
        uint code = (write ? 2u : 0) | (user ? 4u : 0) | (execute && (Smep || (Nxe && Bit(cr4, 5))) ? 16u : 0);
        if (!present)
            return new Answer(code, 0, 0);
        if (reserved)
            return new Answer(code | 9, 0, 0);

        bool userPage = used.TrueForAll(e => Bit(e, 2));
        bool writable = used.TrueForAll(e => Bit(e, 1));
        bool noExecute = Nxe && Bit(cr4, 5) && used.Exists(e => Bit(e, 63));
        bool allowed;
        if (user)
            allowed = userPage && (!write || writable) && (!execute || !noExecute);
        else if (execute)
            allowed = !noExecute && !(Smep && userPage);
        else
            allowed = !(Smap && userPage && !smapOverride) && (!write || writable || !Wp);
        return allowed ? new Answer(null, physical, size) : new Answer(code | 1, 0, 0);
    }

    private (bool Present, bool Reserved, ulong Physical, int Size) Wide(ulong linear, List<ulong> used)
    {
        int level = LongMode ? (Bit(cr4, 12) ? 5 : 4) : 2;
        ulong table = Range(cr3, 51, 12) << 12;
        if (!LongMode)
        {
            ulong pointer = memory[(Range(cr3, 31, 5) << 5) + (Range(linear, 31, 30) * 8)];
            if (!Bit(pointer, 0))
                return default;
            table = Range(pointer, 51, 12) << 12;
        }

        for (; ; level--)
        {
            int low = 12 + (9 * (level - 1));
            ulong entry = memory[table + (Range(linear, low + 8, low) * 8)];
            if (!Bit(entry, 0))
                return default;
            used.Add(entry);
            bool large = Bit(entry, 7) && level is 2 or 3 && Bit(entry, 7);
            bool bad = !Nxe && Bit(entry, 63);
            bad |= features.PhysicalAddressWidth < 52 && Range(entry, 51, features.PhysicalAddressWidth) != 0;
            bad |= !LongMode && Range(entry, 62, 52) != 0;
            bad |= level >= 4 && Bit(entry, 7);
            bad |= level == 3 && large && !features.GigabytePages;
            bad |= level == 3 && large && Range(entry, 29, 13) != 0;
            bad |= level == 2 && large && Range(entry, 20, 13) != 0;
            if (bad)
                return (true, true, 0, 0);
            if (level == 1 || large)
                return (true, false, (Range(entry, 51, low) << low) + Range(linear, low - 1, 0), low);
            table = Range(entry, 51, 12) << 12;
        }
    }

    private (bool Present, bool Reserved, ulong Physical, int Size) Narrow(ulong linear, List<ulong> used)
    {
        ulong pde = memory.Read32((Range(cr3, 31, 12) << 12) + (Range(linear, 31, 22) * 4));
        if (!Bit(pde, 0))
            return default;
        used.Add(pde);
        if (Bit(cr4, 4) && Bit(pde, 7))
        {
            int m = features.PageSizeExtension36 ? Math.Min(40, (int)features.PhysicalAddressWidth) : 32;
            ulong high = m > 32 ? Range(pde, m - 20, 13) : 0;
            bool bad = Range(pde, 21, m - 19) != 0;
            return (true, bad, (high << 32) + (Range(pde, 31, 22) << 22) + Range(linear, 21, 0), 22);
        }

        ulong pte = memory.Read32((Range(pde, 31, 12) << 12) + (Range(linear, 21, 12) * 4));
        if (!Bit(pte, 0))
            return default;
        used.Add(pte);
        return (true, false, (Range(pte, 31, 12) << 12) + Range(linear, 11, 0), 12);
    }

    private static bool Bit(ulong value, int bit) => ((value >> bit) & 1) != 0;

    private static ulong Range(ulong value, int high, int low) => (value << (63 - high)) >> (63 - high + low);
}
