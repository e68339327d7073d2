using System.Numerics;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Which entries of each array (bank and direction) are filled, and which of them with translations that are not global: emptying an
    // array costs as much as was put into it.
    private const int FilledWords = SoftTlb.Entries / 64;
    private readonly ulong[] _filled = new ulong[SoftTlb.Banks * 2 * FilledWords];
    private readonly ulong[] _filledLocal = new ulong[SoftTlb.Banks * 2 * FilledWords];

    private int ArrayOf(TlbEntry* bank) => (int)((bank - _tlb) / SoftTlb.Entries);

    private void SetFirst(TlbEntry* bank, int array, ulong page, byte* host, bool global)
    {
        int index = (int)((page >> 12) & (SoftTlb.Entries - 1));
        TlbEntry* e = bank + index;
        e->Tag = page;
        e->Addend = (long)((ulong)host - page);
        int word = (array * FilledWords) + (index >> 6);
        ulong bit = 1UL << (index & 63);
        _filled[word] |= bit;
        if (global)
            _filledLocal[word] &= ~bit;
        else
            _filledLocal[word] |= bit;
    }

    /// <summary>Empties the soft TLB, of global translations too.</summary>
    public void FlushTlb()
    {
        FlushDataTlb();
        ForgetLargePages();
        ForgetContexts();
        ForgetJumps();
    }

    /// <summary>Empties the soft TLB, but keeps what is known of code.</summary>
    private void FlushDataTlb()
    {
        for (int array = 0; array < SoftTlb.Banks * 2; array++)
            EmptyFirst(array, _filled);
        Array.Clear(_filledLocal);
        ForgetSecond();
        _pagingStale = true;
    }

    /// <summary>Empties the soft TLB's entries for writes.</summary>
    private void FlushWriteTlb()
    {
        ForgetSecondWrites();
        for (int array = 1; array < SoftTlb.Banks * 2; array += 2)
        {
            EmptyFirst(array, _filled);
            Array.Clear(_filledLocal, array * FilledWords, FilledWords);
        }
    }

    /// <summary>Empties the soft TLB's entries for one linear page.</summary>
    public void FlushTlbPage(ulong linear)
    {
        int index = (int)((linear >> 12) & (SoftTlb.Entries - 1));
        for (int array = 0; array < SoftTlb.Banks * 2; array++)
            _tlb[(array * SoftTlb.Entries) + index].Tag = index == 0 ? SoftTlb.EmptyFirst : SoftTlb.Empty;
        ForgetSecondPage(linear);
        if (MayHoldCode(linear))
            ForgetJumps();
    }

    /// <summary>Empties the first level of translations that are not global.</summary>
    private void ForgetLocal()
    {
        for (int array = 0; array < SoftTlb.Banks * 2; array++)
            EmptyFirst(array, _filledLocal);
    }

    private void EmptyFirst(int array, ulong[] filled)
    {
        TlbEntry* first = _tlb + (array * SoftTlb.Entries);
        for (int word = 0; word < FilledWords; word++)
        {
            ref ulong bits = ref filled[(array * FilledWords) + word];
            for (ulong left = bits; left != 0; left &= left - 1)
                first[(word * 64) + BitOperations.TrailingZeroCount(left)].Tag = SoftTlb.Empty;
            bits = 0;
        }
        if (first->Tag == SoftTlb.Empty)
            first->Tag = SoftTlb.EmptyFirst;
    }

    private void MakeFirstEmpty()
    {
        for (int array = 0; array < SoftTlb.Banks * 2; array++)
        {
            TlbEntry* first = _tlb + (array * SoftTlb.Entries);
            for (int i = 0; i < SoftTlb.Entries; i++)
                first[i].Tag = i == 0 ? SoftTlb.EmptyFirst : SoftTlb.Empty;
        }
    }
}
