using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>Guest-physical memory of single words, with pages that refuse, and a script of interference by "another processor".</summary>
internal sealed class SparseMemory
{
    public Dictionary<ulong, ulong> Words { get; } = [];

    public HashSet<ulong> RefusedPages { get; } = [];

    public HashSet<ulong> ReadOnlyPages { get; } = [];

    /// <summary>Called before a compare-exchange, with the address.</summary>
    public Action<ulong>? BeforeExchange { get; set; }

    public int Exchanges { get; private set; }

    public ulong this[ulong address]
    {
        get => Words.GetValueOrDefault(address);
        set => Words[address] = value;
    }

    public uint Read32(ulong address) => (uint)(this[address & ~7UL] >> (int)((address & 4) * 8));

    public void Write32(ulong address, uint value)
    {
        int shift = (int)((address & 4) * 8);
        this[address & ~7UL] = (this[address & ~7UL] & ~(0xFFFF_FFFFUL << shift)) | ((ulong)value << shift);
    }

    /// <summary>The seam itself: a struct, as the walker wants it.</summary>
    public readonly struct Seam(SparseMemory memory) : IPageTableMemory
    {
        public bool TryRead(ulong physicalAddress, out ulong entry)
        {
            (physicalAddress & 7).Should().Be(0);
            bool refused = memory.RefusedPages.Contains(physicalAddress >> 12);
            entry = refused ? 0 : memory[physicalAddress];
            return !refused;
        }

        public bool TryRead(ulong physicalAddress, out uint entry)
        {
            (physicalAddress & 3).Should().Be(0);
            bool refused = memory.RefusedPages.Contains(physicalAddress >> 12);
            entry = refused ? 0 : memory.Read32(physicalAddress);
            return !refused;
        }

        public EntryExchange CompareExchange(ulong physicalAddress, ulong expected, ulong replacement, out ulong observed)
        {
            observed = 0;
            if (!Begin(physicalAddress))
                return EntryExchange.Unreachable;
            observed = memory[physicalAddress];
            if (observed != expected)
                return EntryExchange.Changed;
            memory[physicalAddress] = replacement;
            return EntryExchange.Exchanged;
        }

        public EntryExchange CompareExchange(ulong physicalAddress, uint expected, uint replacement, out uint observed)
        {
            observed = 0;
            if (!Begin(physicalAddress))
                return EntryExchange.Unreachable;
            observed = memory.Read32(physicalAddress);
            if (observed != expected)
                return EntryExchange.Changed;
            memory.Write32(physicalAddress, replacement);
            return EntryExchange.Exchanged;
        }

        private bool Begin(ulong physicalAddress)
        {
            memory.Exchanges++;
            memory.BeforeExchange?.Invoke(physicalAddress);
            return !memory.RefusedPages.Contains(physicalAddress >> 12) && !memory.ReadOnlyPages.Contains(physicalAddress >> 12);
        }
    }
}
