namespace Vmm.Emulator.NestedPaging;

/// <summary>The shape of a second-level table and what changes it has seen. Written under the table's writer lock.</summary>
internal struct NestedTableStatistics
{
    /// <summary>Pages mapped by 4 KiB entries.</summary>
    public long SmallPages;

    /// <summary>Pages mapped by 2 MiB entries.</summary>
    public long TwoMegabytePages;

    /// <summary>Pages mapped by 1 GiB entries.</summary>
    public long GigabytePages;

    /// <summary>Table pages in use, the root included.</summary>
    public long TablePages;

    /// <summary>Table pages out of use that wait for <see cref="NestedPageTable.Reclaim"/>.</summary>
    public long RetiredTablePages;

    /// <summary>Large pages split into a table of smaller ones.</summary>
    public long Splits;

    /// <summary>Tables of uniform pages merged into one large page.</summary>
    public long Promotions;
}
