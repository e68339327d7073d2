namespace Vmm.Emulator.NestedPaging;

/// <summary>
/// The native pages of one second-level table: grows in slabs up to a bound, hands out zeroed pages, and keeps pages that went out of use
/// untouched until a reclaim, since a walk may still be reading them. Not thread-safe: used under the table's writer lock.
/// </summary>
internal sealed class TablePool : IDisposable
{
    private const int SmallestSlab = 16;
    private const int LargestSlab = 1024;

    private readonly List<TableSlab> _slabs = [];
    private readonly Stack<TablePage> _free = new();
    private readonly List<TablePage> _retired = [];
    private readonly int _limit;
    private int _allocated;

    /// <summary>Makes an empty pool.</summary>
    /// <param name="limit">The most pages it ever holds.</param>
    public TablePool(int limit) => _limit = limit;

    public int InUse => _allocated - _free.Count - _retired.Count;

    public int Retired => _retired.Count;

    /// <summary>Makes sure that the next so many calls of <see cref="Take"/> succeed.</summary>
    /// <exception cref="InsufficientMemoryException">The bound does not allow it. Nothing has changed.</exception>
    public void Reserve(long pages)
    {
        if (pages > _free.Count + (long)(_limit - _allocated))
        {
            throw new InsufficientMemoryException(
                $"The second-level page tables would need up to {pages} more pages of 4 KiB; "
                + $"{InUse} of {_limit} are in use and {Retired} await reclaim.");
        }

        while (_free.Count < pages)
        {
            long wanted = Math.Clamp(Math.Max(pages - _free.Count, _allocated), SmallestSlab, LargestSlab);
            Grow((int)Math.Min(wanted, _limit - _allocated));
        }
    }

    /// <summary>A zeroed page; one must have been reserved.</summary>
    public TablePage Take()
    {
        TablePage page = _free.Pop();
        page.Clear();
        return page;
    }

    /// <summary>Gives back a page that nothing has ever pointed to.</summary>
    public void Return(TablePage page) => _free.Push(page);

    /// <summary>Puts a page that no entry points to any more aside.</summary>
    public void Retire(TablePage page) => _retired.Add(page);

    /// <summary>Frees the pages put aside: no walk that began before they went out of use may still be running.</summary>
    /// <returns>How many there were.</returns>
    public int Reclaim()
    {
        int count = _retired.Count;
        foreach (TablePage page in _retired)
            _free.Push(page);
        _retired.Clear();
        return count;
    }

    public void Dispose()
    {
        _free.Clear();
        _retired.Clear();
        foreach (TableSlab slab in _slabs)
            slab.Dispose();
        _slabs.Clear();
        _allocated = 0;
    }

    private void Grow(int pageCount)
    {
        TableSlab slab = new(pageCount);
        _slabs.Add(slab);
        _allocated += pageCount;
        for (int i = pageCount - 1; i >= 0; i--)
            _free.Push(slab[i]);
    }
}
