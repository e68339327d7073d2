namespace Vmm.Emulator.NestedPaging;

/// <content>Dirty flags.</content>
internal abstract partial class RadixPageTable<TFormat>
{
    protected override bool HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap, bool clear)
    {
        if (clear)
            _pool.Reserve(2 * (NestedEntry.LargestPageLevel - 1));
        return HarvestTable(_root, NestedEntry.RootLevel, address, address + length, address, bitmap, clear);
    }

    protected override void MarkDirtyCore(ulong address, ulong length) => MarkTable(_root, NestedEntry.RootLevel, address, address + length);

    private bool HarvestTable(TablePage table, int level, ulong first, ulong end, ulong origin, Span<ulong> bitmap, bool clear)
    {
        bool cleared = false;
        ulong size = 1UL << NestedEntry.Shift(level);
        for (ulong at = first, next; at < end; at = next)
        {
            next = Math.Min((at & ~(size - 1)) + size, end);
            int index = NestedEntry.Index(at, level);
            ulong entry = table[index];
            if (!IsMapped(entry))
                continue;
            if (!NestedEntry.IsPage(entry, level))
            {
                cleared |= HarvestTable(new TablePage(entry & NestedEntry.AddressMask), level - 1, at, next, origin, bitmap, clear);
                continue;
            }

            if ((entry & TFormat.Dirty) == 0)
                continue;
            if (clear && next - at != size)
            {
                // The pages beside the range keep their flags.
                cleared |= HarvestTable(Split(table, level, index), level - 1, at, next, origin, bitmap, true);
                continue;
            }

            SetBits(bitmap, (at - origin) / PageSize, (next - at) / PageSize);
            if (clear)
                cleared |= Rewrite(table, index, level, static (old, _, _) => old & ~TFormat.Dirty, default);
        }

        return cleared;
    }

    private static void MarkTable(TablePage table, int level, ulong first, ulong end)
    {
        ulong size = 1UL << NestedEntry.Shift(level);
        for (ulong at = first, next; at < end; at = next)
        {
            next = Math.Min((at & ~(size - 1)) + size, end);
            int index = NestedEntry.Index(at, level);
            ulong entry = table[index];
            if (!IsMapped(entry))
                continue;
            if (NestedEntry.IsPage(entry, level))
                _ = Rewrite(table, index, level, static (old, _, _) => old | TFormat.Dirty, default);
            else
                MarkTable(new TablePage(entry & NestedEntry.AddressMask), level - 1, at, next);
        }
    }

    private static void SetBits(Span<ulong> bitmap, ulong first, ulong count)
    {
        for (ulong bit = first; bit < first + count; bit++)
            bitmap[(int)(bit / 64)] |= 1UL << (int)(bit % 64);
    }
}
