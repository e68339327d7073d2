namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// The second level without page tables: a sorted list of ranges. It exists to measure what real tables cost; what it answers is the
/// same. Pages have dirty flags and no accessed flags, and count as 4 KiB pages.
/// </summary>
internal sealed class FlatMap : NestedPageTable
{
    private readonly DirtyPages _dirty = new();
    private FlatRange[] _ranges = [];

    public override string Name => "none";

    protected override NestedTableStatistics StatisticsCore
    {
        get
        {
            ulong bytes = 0;
            foreach (FlatRange range in _ranges)
                bytes += range.End - range.First;
            return new NestedTableStatistics { SmallPages = (long)(bytes / PageSize) };
        }
    }

    public override bool Walk(
        ulong address, GuestAccess access, bool guestWalk, ref NestedWalkCounters counters, out NestedWalkResult result)
    {
        counters.Walks++;
        GuestAccess needed = guestWalk ? access | GuestAccess.ReadWrite : access;
        if (!Probe(address, needed, out result))
        {
            if (result.Status == NestedWalkStatus.NotPresent)
                counters.Holes++;
            else
                counters.Violations++;
            return false;
        }

        if ((needed & GuestAccess.Write) != 0 && !result.Dirty)
        {
            counters.FlagUpdates++;
            _dirty.Set(address / PageSize);
            result.Dirty = true;
        }

        return true;
    }

    public override bool Probe(ulong address, GuestAccess access, out NestedWalkResult result)
    {
        result = new NestedWalkResult { PageSizeLog2 = 12 };
        FlatRange[] ranges = Volatile.Read(ref _ranges);
        int index = FindEnd(ranges, address);
        if (index == ranges.Length || address < ranges[index].First)
        {
            result.Status = NestedWalkStatus.NotPresent;
            return false;
        }

        ref readonly FlatRange range = ref ranges[index];
        result.Rights = range.Access;
        if ((range.Access & access) != access || range.Access == GuestAccess.None)
        {
            result.Status = NestedWalkStatus.Violation;
            return false;
        }

        result.HostAddress = (nuint)(address + range.HostOffset);
        result.Dirty = _dirty.IsSet(address / PageSize);
        return true;
    }

    protected override bool CanExpress(GuestAccess rights) => true;

    protected override bool ChangeCore(ulong address, ulong length, in NestedChange change)
    {
        ulong end = address + length;
        List<FlatRange> next = new(_ranges.Length + 2);
        bool changed = false;
        foreach (FlatRange range in _ranges)
        {
            if (range.End <= address || range.First >= end)
            {
                Append(next, range);
                continue;
            }

            if (range.First < address)
                Append(next, range with { End = address });
            FlatRange inside = range with { First = Math.Max(range.First, address), End = Math.Min(range.End, end) };
            changed |= ChangeRange(next, inside, change);
            if (range.End > end)
                Append(next, range with { First = end });
        }

        if (change.Kind == NestedChangeKind.Map)
        {
            int at = next.FindIndex(range => range.First >= end);
            FlatRange mapped = new(address, end, change.HostOffset, change.Rights, change.Logged);
            next.Insert(at < 0 ? next.Count : at, mapped);
            next = Coalesce(next);
        }

        Volatile.Write(ref _ranges, [.. next]);
        return changed;
    }

    protected override bool HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap, bool clear)
    {
        bool cleared = false;
        foreach (FlatRange range in _ranges)
        {
            ulong end = Math.Min(range.End, address + length) / PageSize;
            for (ulong page = Math.Max(range.First, address) / PageSize; page < end; page++)
            {
                if (!_dirty.IsSet(page))
                    continue;
                ulong bit = page - (address / PageSize);
                bitmap[(int)(bit / 64)] |= 1UL << (int)(bit % 64);
                cleared |= clear && _dirty.Clear(page);
            }
        }

        return cleared;
    }

    protected override void MarkDirtyCore(ulong address, ulong length)
    {
        foreach (FlatRange range in _ranges)
        {
            ulong end = Math.Min(range.End, address + length) / PageSize;
            for (ulong page = Math.Max(range.First, address) / PageSize; page < end; page++)
                _dirty.Set(page);
        }
    }

    protected override int ReclaimCore() => 0;

    protected override void DisposeCore() => Volatile.Write(ref _ranges, []);

    private bool ChangeRange(List<FlatRange> next, in FlatRange inside, in NestedChange change)
    {
        switch (change.Kind)
        {
            case NestedChangeKind.Protect:
                Append(next, inside with { Access = change.Rights });
                return inside.Access != change.Rights;

            case NestedChangeKind.Log:
                if (change.Logged && !inside.Logged)
                    _dirty.Clear(inside.First / PageSize, inside.End / PageSize);
                Append(next, inside with { Logged = change.Logged });
                return inside.Logged != change.Logged;

            default:
                _dirty.Clear(inside.First / PageSize, inside.End / PageSize);
                return true;
        }
    }

    private static List<FlatRange> Coalesce(List<FlatRange> ranges)
    {
        List<FlatRange> result = new(ranges.Count);
        foreach (FlatRange range in ranges)
            Append(result, range);
        return result;
    }

    private static void Append(List<FlatRange> ranges, in FlatRange range)
    {
        if (ranges.Count > 0 && ranges[^1].IsContinuedBy(range))
            ranges[^1] = ranges[^1] with { End = range.End };
        else
            ranges.Add(range);
    }

    /// <summary>The first range that ends after an address.</summary>
    private static int FindEnd(FlatRange[] ranges, ulong address)
    {
        int low = 0;
        int high = ranges.Length;
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (ranges[middle].End <= address)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
