namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Pages 4 MiB apart share an entry of the soft TLB, and a load of CR3 empties it of all but global pages. What is lost there is mostly
    // found here, without a walk. Entries are stamped with their context, their bank and an epoch, so that forgetting all of them costs
    // nothing.
    private const int SecondEntries = 8192;
    private readonly SecondEntry[] _second = new SecondEntry[SecondEntries];
    private uint _readEpoch = 1, _writeEpoch = 1;

    private struct SecondEntry
    {
        public ulong Page;
        public ulong Stamp; // epoch, context, bank
        public byte* Host;
    }

    // Address spaces lie apart, so that those of one program do not take each other's places.
    private ref SecondEntry Second(ulong linear, int array, uint context) =>
        ref _second[(int)(((linear >> 12) << 1) ^ ((ulong)array & 1) ^ (context * 0x9E37_79B1UL)) & (SecondEntries - 1)];

    private ulong Stamp(int array, uint context) => ((ulong)((array & 1) != 0 ? _writeEpoch : _readEpoch) << 32) | (context << 4) | (uint)array;

    /// <summary>Host address of a byte whose page is known to a bank's second level, after refilling the first; else null.</summary>
    private byte* FindSecond(TlbEntry* bank, ulong linear)
    {
        int array = ArrayOf(bank);
        ulong page = linear & ~0xFFFUL;
        bool global = false;
        ref SecondEntry entry = ref Second(linear, array, _context);
        if (entry.Page != page || entry.Stamp != Stamp(array, _context))
        {
            entry = ref Second(linear, array, GlobalContext);
            if (entry.Page != page || entry.Stamp != Stamp(array, GlobalContext))
                return null;
            global = true;
        }
        SetFirst(bank, array, page, entry.Host, global);
        return entry.Host + (linear & 0xFFF);
    }

    private void ForgetSecondPage(ulong linear)
    {
        for (int write = 0; write < 2; write++)
        {
            Forget(ref Second(linear, write, _context), linear);
#if VMM_MUTANTS
            if (Broken(Mutant.InvlpgKeepsGlobal))
                continue;
#endif
            Forget(ref Second(linear, write, GlobalContext), linear);
        }
    }

    private static void Forget(ref SecondEntry entry, ulong linear)
    {
        if (entry.Page == (linear & ~0xFFFUL))
            entry.Stamp = 0;
    }

    private void ForgetSecondWrites()
    {
        if (++_writeEpoch == 0)
            ForgetSecond();
    }

    private void ForgetSecond()
    {
        if (_readEpoch >= uint.MaxValue - 1 || _writeEpoch >= uint.MaxValue - 1 || _writeEpoch == 0)
        {
            Array.Clear(_second);
            _readEpoch = _writeEpoch = 0;
        }
        _readEpoch++;
        _writeEpoch++;
    }
}
