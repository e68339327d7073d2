namespace Vmm.Emulator.NestedPaging;

/// <summary>One bit for each 4 KiB page of the guest-physical space, in pieces that exist once a page of theirs is dirty.</summary>
internal sealed class DirtyPages
{
    private const int PieceShift = 18;
    private const int WordsInPiece = 1 << (PieceShift - 6);

    private readonly ulong[]?[] _pieces = new ulong[]?[1 << (NestedPageTable.AddressWidth - 12 - PieceShift)];

    /// <summary>Whether a page is dirty.</summary>
    public bool IsSet(ulong page)
    {
        ulong[]? piece = Volatile.Read(ref _pieces[page >> PieceShift]);
        return piece is not null && (Volatile.Read(ref piece[Word(page)]) & Bit(page)) != 0;
    }

    /// <summary>Makes a page dirty; from any thread.</summary>
    public void Set(ulong page)
    {
        ref ulong[]? slot = ref _pieces[page >> PieceShift];
        ulong[]? piece = Volatile.Read(ref slot);
        if (piece is null)
        {
            ulong[] fresh = new ulong[WordsInPiece];
            piece = Interlocked.CompareExchange(ref slot, fresh, null) ?? fresh;
        }

        _ = Interlocked.Or(ref piece[Word(page)], Bit(page));
    }

    /// <summary>Makes a page clean.</summary>
    /// <returns>Whether it was dirty.</returns>
    public bool Clear(ulong page)
    {
        ulong[]? piece = Volatile.Read(ref _pieces[page >> PieceShift]);
        return piece is not null && (Interlocked.And(ref piece[Word(page)], ~Bit(page)) & Bit(page)) != 0;
    }

    /// <summary>Makes the pages from one to before another clean.</summary>
    public void Clear(ulong first, ulong end)
    {
        for (ulong page = first; page < end;)
        {
            if (Volatile.Read(ref _pieces[page >> PieceShift]) is null)
            {
                page = ((page >> PieceShift) + 1) << PieceShift;
                continue;
            }

            _ = Clear(page++);
        }
    }

    private static int Word(ulong page) => (int)(page >> 6) & (WordsInPiece - 1);

    private static ulong Bit(ulong page) => 1UL << (int)(page & 63);
}
