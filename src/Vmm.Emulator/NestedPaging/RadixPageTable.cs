using System.Runtime.CompilerServices;

namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// A four-level second-level table in real memory, walked by following the host addresses in its entries as hardware does.
/// </summary>
/// <typeparam name="TFormat">The layout of its entries.</typeparam>
internal abstract partial class RadixPageTable<TFormat> : NestedPageTable
    where TFormat : struct, INestedFormat
{
    private readonly TFormat _format;
    private readonly TablePool _pool;
    private readonly bool _gigabytePages;
    private TablePage _root;
    private NestedTableStatistics _statistics;

    /// <summary>Makes an empty table.</summary>
    /// <param name="format">The format.</param>
    /// <param name="gigabytePages">Whether 1 GiB pages may be used.</param>
    /// <param name="tablePageLimit">The most 4 KiB pages that the tables may take.</param>
    protected RadixPageTable(TFormat format, bool gigabytePages, int tablePageLimit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(tablePageLimit, 1);
        _format = format;
        _gigabytePages = gigabytePages;
        _pool = new TablePool(tablePageLimit);
        _pool.Reserve(1);
        _root = _pool.Take();
    }

    public override string Name => TFormat.Name;

    /// <summary>The root table, as EPTP or nCR3 would point to it.</summary>
    internal TablePage Root => _root;

    protected override NestedTableStatistics StatisticsCore
    {
        get
        {
            NestedTableStatistics statistics = _statistics;
            statistics.TablePages = _pool.InUse;
            statistics.RetiredTablePages = _pool.Retired;
            return statistics;
        }
    }

    protected override bool CanExpress(GuestAccess rights) => _format.CanExpress(rights);

    [SkipLocalsInit]
    public override bool Walk(
        ulong address, GuestAccess access, bool guestWalk, ref NestedWalkCounters counters, out NestedWalkResult result)
    {
        GuestAccess needed = guestWalk ? access | GuestAccess.Read | GuestAccess.Write : access;
        counters.Walks++;
        while (true)
        {
            Unsafe.SkipInit(out TableTrail trail);
            bool granted = Descend(address, needed, ref trail, out ulong entry, out int level, out ulong common, out result);
            counters.EntriesRead += result.Depth;
            if (!granted)
            {
                Count(ref counters, result.Status);
                return false;
            }

            ulong pageFlags = (needed & GuestAccess.Write) != 0 ? TFormat.Accessed | TFormat.Dirty : TFormat.Accessed;
            if ((common & TFormat.Accessed) != 0 && (entry & pageFlags) == pageFlags)
                return true;
            counters.FlagUpdates++;
            if (SetFlags(address, trail, level, entry, pageFlags))
            {
                result.Dirty = ((entry | pageFlags) & TFormat.Dirty) != 0;
                return true;
            }
        }
    }

    [SkipLocalsInit]
    public override bool Probe(ulong address, GuestAccess access, out NestedWalkResult result)
    {
        Unsafe.SkipInit(out TableTrail trail);
        return Descend(address, access, ref trail, out _, out _, out _, out result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Descend(
        ulong address,
        GuestAccess needed,
        ref TableTrail trail,
        out ulong entry,
        out int level,
        out ulong common,
        out NestedWalkResult result)
    {
        Unsafe.SkipInit(out result);
        result.HostAddress = 0;
        result.Dirty = false;
        level = NestedEntry.RootLevel;
        common = ulong.MaxValue;
        entry = 0;
        TablePage table = _root;
        if (address >> NestedEntry.AddressWidth != 0 || table.Address == 0)
            return Absent(0, NestedWalkStatus.NotPresent, NestedEntry.Shift(1), out result);
        while (true)
        {
            trail[level] = table;
            entry = table[NestedEntry.Index(address, level)];
            if (!TFormat.IsPresent(entry))
            {
                bool held = (entry & NestedEntry.Held) != 0;
                if (held && (entry & NestedEntry.FetchOnly) != 0)
                    return FetchOnly(address, entry, level, needed, out result);
                return Absent(
                    NestedEntry.RootLevel + 1 - level,
                    held ? NestedWalkStatus.Violation : NestedWalkStatus.NotPresent,
                    NestedEntry.Shift(level),
                    out result);
            }

            if (_format.IsMisconfigured(entry, level))
                return Absent(NestedEntry.RootLevel + 1 - level, NestedWalkStatus.Misconfiguration, NestedEntry.Shift(level), out result);
            common &= TFormat.Accumulate(entry);
            if (level == 1 || (entry & NestedEntry.Large) != 0)
                break;
            table = new TablePage(entry & NestedEntry.AddressMask);
            level--;
        }

        int shift = NestedEntry.Shift(level);
        ulong offsetMask = (1UL << shift) - 1;
        result.Rights = TFormat.RightsOf(common);
        result.PageSizeLog2 = (byte)shift;
        result.Depth = (byte)(NestedEntry.RootLevel + 1 - level);
        result.Status = NestedWalkStatus.Granted;
        if ((result.Rights & needed) != needed)
        {
            result.Status = NestedWalkStatus.Violation;
            return false;
        }

        result.HostAddress = (nuint)((entry & NestedEntry.AddressMask & ~offsetMask) | (address & offsetMask));
        result.Dirty = (entry & TFormat.Dirty) != 0;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Absent(int depth, NestedWalkStatus status, int shift, out NestedWalkResult result)
    {
        result = new NestedWalkResult { Status = status, Depth = (byte)depth, PageSizeLog2 = (byte)shift };
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool FetchOnly(ulong address, ulong entry, int level, GuestAccess needed, out NestedWalkResult result)
    {
        int shift = NestedEntry.Shift(level);
        ulong offsetMask = (1UL << shift) - 1;
        bool granted = needed == GuestAccess.Execute;
        result = new NestedWalkResult
        {
            HostAddress = granted ? (nuint)((entry & NestedEntry.AddressMask & ~offsetMask) | (address & offsetMask)) : 0,
            Status = granted ? NestedWalkStatus.Granted : NestedWalkStatus.Violation,
            Rights = GuestAccess.Execute,
            PageSizeLog2 = (byte)shift,
            Depth = (byte)(NestedEntry.RootLevel + 1 - level),
        };
        return granted;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Count(ref NestedWalkCounters counters, NestedWalkStatus status)
    {
        if (status == NestedWalkStatus.NotPresent)
            counters.Holes++;
        else if (status == NestedWalkStatus.Violation)
            counters.Violations++;
        else
            counters.Misconfigurations++;
    }

    /// <summary>Sets A on the way down and the page's flags at its end. False when the page's entry no longer says what was read.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool SetFlags(ulong address, in TableTrail trail, int mapping, ulong mappingEntry, ulong pageFlags)
    {
        // Entries that point to tables differ from what was read only when a writer replaced them; the page's own entry decides.
        for (int level = NestedEntry.RootLevel; level > mapping; level--)
        {
            TablePage table = trail[level];
            int index = NestedEntry.Index(address, level);
            ulong entry = table[index];
            if (TFormat.IsPresent(entry) && (entry & TFormat.Accessed) == 0)
                _ = table.CompareExchange(index, entry | TFormat.Accessed, entry);
        }

        TablePage last = trail[mapping];
        int lastIndex = NestedEntry.Index(address, mapping);
        ulong expected = mappingEntry;
        while (true)
        {
            ulong observed = last.CompareExchange(lastIndex, expected | pageFlags, expected);
            if (observed == expected)
                return true;
            if (((observed ^ mappingEntry) & ~(TFormat.Accessed | TFormat.Dirty)) != 0)
                return false;
            expected = observed;
        }
    }
}
