namespace Vmm;

/// <summary>
/// Which guest-physical ranges are tracked, and the pages known to be dirty that nobody has asked for: for a backend whose platform
/// forgets its own log when a range is mapped anew. Addresses are in bytes and whole 4 KB pages. Not for several threads at once.
/// </summary>
public sealed class DirtyPages
{
    private const int PageShift = 12;

    private readonly List<(ulong First, ulong End)> _tracked = [];
    private readonly HashSet<ulong> _dirty = [];

    /// <summary>Whether any range is tracked.</summary>
    public bool IsAnyTracked => _tracked.Count != 0;

    /// <summary>Tracks a range from now on, or no more: then what was dirty in it is forgotten.</summary>
    public void Track(ulong address, ulong length, bool enable)
    {
        ulong last = address + length;
        for (int i = _tracked.Count - 1; i >= 0; i--)
        {
            (ulong first, ulong end) = _tracked[i];
            if (first >= last || end <= address)
                continue;
            _tracked.RemoveAt(i);
            if (first < address)
                _tracked.Add((first, address));
            if (end > last)
                _tracked.Add((last, end));
        }
        if (enable)
            _tracked.Add((address, last));
        else
            _dirty.RemoveWhere(page => page >= address && page < last);
    }

    /// <summary>Whether an address is tracked.</summary>
    /// <param name="address">The address.</param>
    /// <param name="limit">The highest value of <paramref name="next"/>, above <paramref name="address"/>.</param>
    /// <param name="next">The first address after it for which that is not said.</param>
    public bool IsTracked(ulong address, ulong limit, out ulong next)
    {
        next = limit;
        foreach ((ulong first, ulong end) in _tracked)
        {
            if (first <= address && address < end)
            {
                next = Math.Min(end, limit);
                return true;
            }
            if (address < first && first < next)
                next = first;
        }
        return false;
    }

    /// <summary>Takes a platform's log.</summary>
    /// <param name="address">Where the log's range begins.</param>
    /// <param name="bitmap">A bit for each page, the lowest first.</param>
    public void Add(ulong address, ReadOnlySpan<ulong> bitmap)
    {
        for (int i = 0; i < bitmap.Length; i++)
        {
            for (ulong rest = bitmap[i]; rest != 0; rest &= rest - 1)
                _dirty.Add(address + (((ulong)i * 64) + ulong.TrailingZeroCount(rest) << PageShift));
        }
    }

    /// <summary>Sets the bits of a range's dirty pages, which are clean then.</summary>
    /// <param name="address">Where the range begins.</param>
    /// <param name="length">Its length.</param>
    /// <param name="bitmap">A bit for each page, the lowest first; others are left as they are.</param>
    public void Harvest(ulong address, ulong length, Span<ulong> bitmap)
    {
        for (ulong page = 0; page < length >> PageShift; page++)
        {
            if (_dirty.Remove(address + (page << PageShift)))
                bitmap[(int)(page >> 6)] |= 1UL << (int)(page & 63);
        }
    }
}
