namespace Vmm.Emulator.NestedPaging;

/// <summary>One 4 KiB page of 512 eight-byte entries, by its host address. Every access to one entry is atomic.</summary>
/// <param name="address">Host address of the page, a multiple of 4096.</param>
internal readonly unsafe struct TablePage(ulong address)
{
    public const int EntryCount = 512;
    public const int Size = 4096;

    public ulong Address => address;

    public ulong this[int index]
    {
        // SAFETY: the address is a page of a TablePool that lives as long as its table; the mask keeps the index inside the page.
        get => Volatile.Read(ref *((ulong*)address + (index & (EntryCount - 1))));

        // SAFETY: as above.
        set => Volatile.Write(ref *((ulong*)address + (index & (EntryCount - 1))), value);
    }

    /// <summary>Replaces an entry that still has the expected value.</summary>
    /// <returns>The value it had.</returns>
    public ulong CompareExchange(int index, ulong value, ulong expected)
    {
        // SAFETY: as for the indexer.
        return Interlocked.CompareExchange(ref *((ulong*)address + (index & (EntryCount - 1))), value, expected);
    }

    /// <summary>Zeroes the page; for a page that no table points to yet.</summary>
    public void Clear()
    {
        // SAFETY: the page is exactly this long.
        new Span<byte>((void*)address, Size).Clear();
    }
}
