namespace Vmm.Emulator.NestedPaging;

/// <content>Changes: one recursive pass over the named range that splits at its edges and merges on its way back.</content>
internal abstract partial class RadixPageTable<TFormat>
{
    private static ulong FlagMask => TFormat.Accessed | TFormat.Dirty;

    protected override bool ChangeCore(ulong address, ulong length, in NestedChange change)
    {
        _pool.Reserve(TablesNeeded(length, change));
        return ChangeTable(_root, NestedEntry.RootLevel, address, address + length, change);
    }

    protected override int ReclaimCore() => _pool.Reclaim();

    protected override void DisposeCore()
    {
        _root = default;
        _pool.Dispose();
    }

    /// <summary>
    /// An upper bound of the tables that a change can take: two edges for each level, and the inside where it cannot be large.
    /// </summary>
    private long TablesNeeded(ulong length, in NestedChange change)
    {
        long tables = 0;
        bool replaces = change.Kind is NestedChangeKind.Map or NestedChangeKind.Log;
        int largest = change.Kind == NestedChangeKind.Map ? LargestLevel(change) : change.Logged ? 1 : NestedEntry.LargestPageLevel;
        for (int level = 1; level < NestedEntry.RootLevel; level++)
        {
            long inside = level >= largest && replaces ? (long)(length >> NestedEntry.Shift(level + 1)) : 0;
            tables += inside + 2;
        }

        if (change.Kind == NestedChangeKind.Log)
            tables = Math.Min(tables, (_statistics.GigabytePages * (TablePage.EntryCount + 1)) + _statistics.TwoMegabytePages);
        return tables;
    }

    private int LargestLevel(in NestedChange change)
    {
        if (change.Logged)
            return 1;
        int level = _gigabytePages ? NestedEntry.LargestPageLevel : 2;
        while (level > 1 && (change.HostOffset & ((1UL << NestedEntry.Shift(level)) - 1)) != 0)
            level--;
        return level;
    }

    private bool ChangeTable(TablePage table, int level, ulong first, ulong end, in NestedChange change)
    {
        bool changed = false;
        ulong size = 1UL << NestedEntry.Shift(level);
        ulong at = first;
        while (at < end)
        {
            ulong next = Math.Min((at & ~(size - 1)) + size, end);
            int index = NestedEntry.Index(at, level);
            if (next - at != size || !TryChangeWhole(table, level, index, at, change, ref changed))
                changed |= ChangePart(table, level, index, at, next, change);
            at = next;
        }

        return changed;
    }

    /// <summary>Changes all that an entry covers without going below it. False where that cannot be.</summary>
    private bool TryChangeWhole(TablePage table, int level, int index, ulong address, in NestedChange change, ref bool changed)
    {
        ulong entry = table[index];
        bool isPage = IsMapped(entry) && NestedEntry.IsPage(entry, level);
        switch (change.Kind)
        {
            case NestedChangeKind.Unmap:
                changed |= Replace(table, level, index, 0);
                return true;

            case NestedChangeKind.Map:
                if (level > LargestLevel(change))
                    return false;
                ulong page = TFormat.PageEntry(address + change.HostOffset, level, change.Rights);
                changed |= Replace(table, level, index, change.Logged ? page | NestedEntry.Logged : page);
                return true;

            case NestedChangeKind.Protect:
                if (isPage)
                    changed |= Rewrite(table, index, level, static (old, level, change) => WithRights(old, level, change.Rights), change);
                return isPage || !IsMapped(entry);

            default:
                if (!isPage)
                    return !IsMapped(entry);
                if (level == 1)
                    changed |= Rewrite(table, index, level, static (old, _, change) => WithLogging(old, change.Logged), change);
                return level == 1 || !change.Logged;
        }
    }

    /// <summary>Changes a part of what an entry covers, in the table below it.</summary>
    private bool ChangePart(TablePage table, int level, int index, ulong first, ulong end, in NestedChange change)
    {
        ulong entry = table[index];
        TablePage child;
        if (!IsMapped(entry))
        {
            if (change.Kind != NestedChangeKind.Map)
                return false;
            child = _pool.Take();
            table[index] = TFormat.TableEntry(child.Address);
        }
        else
        {
            child = NestedEntry.IsPage(entry, level) ? Split(table, level, index) : new TablePage(entry & NestedEntry.AddressMask);
        }

        bool changed = ChangeTable(child, level - 1, first, end, change);
        Merge(table, level, index, child);
        return changed;
    }

    private static bool IsMapped(ulong entry) => TFormat.IsPresent(entry) || (entry & NestedEntry.Held) != 0;

    private static ulong WithRights(ulong old, int level, GuestAccess rights)
    {
        ulong kept = old & (FlagMask | NestedEntry.Logged);
        return TFormat.PageEntry(old & NestedEntry.AddressMask, level, rights) | kept;
    }

    private static ulong WithLogging(ulong old, bool logged)
    {
        if (!logged)
            return old & ~NestedEntry.Logged;
        return (old & NestedEntry.Logged) != 0 ? old : (old & ~TFormat.Dirty) | NestedEntry.Logged;
    }

    /// <summary>Rewrites a page's entry against walks that set its flags at the same time.</summary>
    private static bool Rewrite(
        TablePage table, int index, int level, Func<ulong, int, NestedChange, ulong> rewrite, in NestedChange change)
    {
        while (true)
        {
            ulong old = table[index];
            ulong replacement = rewrite(old, level, change);
            if (table.CompareExchange(index, replacement, old) == old)
                return replacement != old;
        }
    }

    /// <summary>Stores an entry and retires the tables that the old one led to.</summary>
    private bool Replace(TablePage table, int level, int index, ulong replacement)
    {
        ulong old = table[index];
        table[index] = replacement;
        if (replacement != 0)
            CountPages(level, 1);
        if (!IsMapped(old))
            return false;
        Drop(old, level);
        return true;
    }

    private void Drop(ulong entry, int level)
    {
        if (NestedEntry.IsPage(entry, level))
        {
            CountPages(level, -1);
            return;
        }

        TablePage table = new(entry & NestedEntry.AddressMask);
        for (int i = 0; i < TablePage.EntryCount; i++)
        {
            ulong below = table[i];
            if (IsMapped(below))
                Drop(below, level - 1);
        }

        _pool.Retire(table);
    }

    /// <summary>Replaces a large page by a table of pages one size smaller, which inherit its rights and flags.</summary>
    private TablePage Split(TablePage table, int level, int index)
    {
        TablePage child = _pool.Take();
        while (true)
        {
            ulong entry = table[index];
            ulong address = entry & NestedEntry.AddressMask;
            ulong rest = entry & ~NestedEntry.AddressMask;
            if (level == 2)
                rest &= ~NestedEntry.Large;
            for (int i = 0; i < TablePage.EntryCount; i++)
                child[i] = rest | (address + ((ulong)i << NestedEntry.Shift(level - 1)));

            // A is left clear in the entry that points to the table: the next walk sets it.
            if (table.CompareExchange(index, TFormat.TableEntry(child.Address), entry) == entry)
                break;
        }

        CountPages(level, -1);
        CountPages(level - 1, TablePage.EntryCount);
        _statistics.Splits++;
        return child;
    }

    /// <summary>Unlinks a table that became empty, and replaces one whose pages are uniform by one large page.</summary>
    private void Merge(TablePage table, int level, int index, TablePage child)
    {
        ulong first = child[0];
        if (!IsMapped(first))
        {
            if (!IsEmpty(child))
                return;
            table[index] = 0;
            _pool.Retire(child);
            return;
        }

        if (!IsUniform(child, level, first, out ulong flags))
            return;
        ulong page = (first & ~FlagMask) | flags;
        table[index] = level == 2 ? page | NestedEntry.Large : page;
        _pool.Retire(child);
        CountPages(level - 1, -TablePage.EntryCount);
        CountPages(level, 1);
        _statistics.Promotions++;
    }

    private static bool IsEmpty(TablePage table)
    {
        for (int i = 0; i < TablePage.EntryCount; i++)
        {
            if (IsMapped(table[i]))
                return false;
        }

        return true;
    }

    private bool IsUniform(TablePage child, int level, ulong first, out ulong flags)
    {
        flags = 0;
        if (level > NestedEntry.LargestPageLevel || (level == NestedEntry.LargestPageLevel && !_gigabytePages))
            return false;
        if (!NestedEntry.IsPage(first, level - 1) || (first & NestedEntry.Logged) != 0)
            return false;
        if ((first & NestedEntry.AddressMask & ((1UL << NestedEntry.Shift(level)) - 1)) != 0)
            return false;
        ulong step = 1UL << NestedEntry.Shift(level - 1);
        ulong expected = first & ~FlagMask;
        for (int i = 0; i < TablePage.EntryCount; i++)
        {
            ulong entry = child[i];
            if ((entry & ~FlagMask) != expected)
                return false;
            flags |= entry & FlagMask;
            expected += step;
        }

        return true;
    }

    private void CountPages(int level, int change)
    {
        if (level == 1)
            _statistics.SmallPages += change;
        else if (level == 2)
            _statistics.TwoMegabytePages += change;
        else
            _statistics.GigabytePages += change;
    }
}
