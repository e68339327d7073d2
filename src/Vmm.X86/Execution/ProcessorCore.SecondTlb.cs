namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    // Pages 4 MiB apart share an entry of the soft TLB. What one of them loses there is mostly found here, without a walk. Entries are
    // stamped
    // with a generation, so that forgetting all of them costs nothing.
    private const int SecondEntries = 8192;
    private readonly SecondEntry[] _second = new SecondEntry[SecondEntries];
    private ulong _secondGeneration = 1;

    private struct SecondEntry
    {
        public ulong Page;
        public ulong Stamp; // generation and bank
        public byte* Host;
    }

    private ref SecondEntry Second(TlbEntry* bank, ulong linear, out ulong stamp)
    {
        ulong index = (ulong)(bank - _tlb) / SoftTlb.Entries;
        stamp = (_secondGeneration << 4) | index;
        return ref _second[(int)(((linear >> 12) << 1) | (index & 1)) & (SecondEntries - 1)];
    }

    /// <summary>Host address of a byte whose page is known to a bank's second level, after refilling the first; else null.</summary>
    private byte* FindSecond(TlbEntry* bank, ulong linear)
    {
        ref SecondEntry entry = ref Second(bank, linear, out ulong stamp);
        if (entry.Stamp != stamp || entry.Page != (linear & ~0xFFFUL))
            return null;
        TlbEntry* e = bank + (int)((linear >> 12) & (SoftTlb.Entries - 1));
        e->Tag = entry.Page;
        e->Addend = (long)((ulong)entry.Host - entry.Page);
        return entry.Host + (linear & 0xFFF);
    }

    private void ForgetSecond() => _secondGeneration++;
}
