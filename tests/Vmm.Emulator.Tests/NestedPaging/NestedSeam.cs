using Vmm.Emulator.NestedPaging;
using Vmm.X86.Paging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>The guest walker's memory, each entry reached through a second-level table.</summary>
internal unsafe struct NestedSeam(NestedPageTable table) : IPageTableMemory
{
    public NestedWalkCounters Counters;

    public NestedWalkResult Last;

    public int GuestEntriesRead;

    public bool TryRead(ulong physicalAddress, out ulong entry)
    {
        GuestEntriesRead++;
        bool reached = table.Walk(physicalAddress, GuestAccess.Read, true, ref Counters, out Last);
        entry = reached ? Volatile.Read(ref *(ulong*)Last.HostAddress) : 0;
        return reached;
    }

    public bool TryRead(ulong physicalAddress, out uint entry)
    {
        GuestEntriesRead++;
        bool reached = table.Walk(physicalAddress, GuestAccess.Read, true, ref Counters, out Last);
        entry = reached ? Volatile.Read(ref *(uint*)Last.HostAddress) : 0;
        return reached;
    }

    public EntryExchange CompareExchange(ulong physicalAddress, ulong expected, ulong replacement, out ulong observed)
    {
        observed = 0;
        if (!table.Walk(physicalAddress, GuestAccess.Write, true, ref Counters, out Last))
            return EntryExchange.Unreachable;
        observed = Interlocked.CompareExchange(ref *(ulong*)Last.HostAddress, replacement, expected);
        return observed == expected ? EntryExchange.Exchanged : EntryExchange.Changed;
    }

    public EntryExchange CompareExchange(ulong physicalAddress, uint expected, uint replacement, out uint observed)
    {
        observed = 0;
        if (!table.Walk(physicalAddress, GuestAccess.Write, true, ref Counters, out Last))
            return EntryExchange.Unreachable;
        observed = Interlocked.CompareExchange(ref *(uint*)Last.HostAddress, replacement, expected);
        return observed == expected ? EntryExchange.Exchanged : EntryExchange.Changed;
    }
}
