using System.Runtime.CompilerServices;
using Vmm.X86.Paging;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const int WalkCacheEntries = 64;
    private readonly WalkCacheEntry[] _walkCache = new WalkCacheEntry[WalkCacheEntries];
    private PagingMode _paging;
    private bool _pagingStale = true;
    private PhysicalPageKind _walkRefusal;

    private struct WalkCacheEntry
    {
        public ulong Page; // guest-physical page number + 1, so that zero is empty
        public byte* Host;
    }

    /// <summary>Forgets everything that came from the second level: it has changed. The processor must be at rest.</summary>
    public void FlushAfterRemap()
    {
        Array.Clear(_walkCache);
        FlushTlb();
    }

    /// <summary>Translates a linear address as the hardware would, without side effects.</summary>
    /// <param name="linear">Linear address.</param>
    /// <param name="access">The access, with <see cref="PageAccess.User"/> as wanted.</param>
    /// <param name="result">Translation or failure.</param>
    public PageWalkOutcome ProbeLinear(ulong linear, PageAccess access, out PageWalkResult result)
    {
        RefreshPaging();
        WalkMemory memory = new(this, false);
        return PageWalker.Probe(in _paging, ref memory, linear, access, out result);
    }

    /// <summary>Looks a page that holds paging structures up without side effects, for <see cref="ProbeLinear"/>.</summary>
    /// <returns>Host address of the page, or null.</returns>
    protected virtual byte* ProbePhysical(ulong address) => null;

    /// <summary>Walks the guest's own page tables. False: #PF recorded, or a violation of the walk went out.</summary>
    protected virtual bool WalkGuest(ulong linear, PhysicalAccess access, DataPrivilege privilege, out ulong physical)
    {
        RefreshPaging();
        PageAccess wanted = access switch
        {
            PhysicalAccess.Write => PageAccess.Write,
            PhysicalAccess.Execute => PageAccess.Execute,
            _ => PageAccess.Read,
        };
        if (privilege == DataPrivilege.User || (privilege == DataPrivilege.Current && State->Cpl == 3))
            wanted |= PageAccess.User;
        else if (privilege != DataPrivilege.ImplicitSupervisor && access != PhysicalAccess.Execute
            && (State->FlagsSystem & LazyFlags.Ac) != 0)
            wanted |= PageAccess.SmapOverride;
        WalkMemory memory = new(this, true);
        PageWalkOutcome outcome = PageWalker.Walk(in _paging, ref memory, linear, wanted, out PageWalkResult result);
        physical = result.PhysicalAddress;
        if (outcome == PageWalkOutcome.Translated)
        {
            _walkedGlobal = result.Global;
            if (result.PageSizeLog2 != 12)
                NoteLargePage(linear, result.PageSizeLog2);
            return true;
        }
        if (outcome == PageWalkOutcome.PageFault)
        {
            RaisePageFault(linear, (uint)result.ErrorCode);
            return false;
        }
        // With accessed and dirty flags on, a walk needs to write: where memory refuses it, that is what was refused (SDM Vol. 3C
        // 29.3.3.2).
        return StopForWalk(result.PhysicalAddress, _walkRefusal == PhysicalPageKind.Forbidden ? PhysicalAccess.WalkWrite
            : PhysicalAccess.WalkRead);
    }

    private void RefreshPaging()
    {
        if (!_pagingStale)
            return;
        VcpuState* s = State;
        PaePointers pointers = default;
        for (int i = 0; i < PaePointers.Count; i++)
            pointers[i] = s->Pdpte[i];
        PagingFeatures features = new((byte)PhysicalAddressBits, Has(CpuFeature.GigabytePages), Has(CpuFeature.PageSizeExtension36));
        _paging = new PagingMode(s->Cr0, s->Cr3, s->Cr4, s->Efer, in features, in pointers, s->Pkru);
        _pagingStale = false;
    }

    private byte* WalkPage(ulong address, PhysicalAccess access, bool commit)
    {
        if (!commit)
            return ProbePhysical(address);
        ulong page = (address >> 12) + 1;
        ref WalkCacheEntry entry = ref _walkCache[(int)page & (WalkCacheEntries - 1)];
        if (entry.Page == page)
            return entry.Host;
        ResolvePhysical(address, access, out PhysicalPage found);
        if (found.Kind != PhysicalPageKind.Memory)
        {
            _walkRefusal = found.Kind;
            return null;
        }
        entry.Page = page;
        entry.Host = found.Host;
        return found.Host;
    }

    /// <summary>Guest-physical memory for the walker: each entry through the second level.</summary>
    private readonly ref struct WalkMemory(ProcessorCore cpu, bool commit) : IPageTableMemory
    {
        public bool TryRead(ulong physicalAddress, out ulong entry)
        {
            byte* page = cpu.WalkPage(physicalAddress, PhysicalAccess.WalkRead, commit);
            entry = page == null ? 0 : Volatile.Read(ref *(ulong*)(page + (physicalAddress & 0xFFF)));
            return page != null;
        }

        public bool TryRead(ulong physicalAddress, out uint entry)
        {
            byte* page = cpu.WalkPage(physicalAddress, PhysicalAccess.WalkRead, commit);
            entry = page == null ? 0 : Volatile.Read(ref *(uint*)(page + (physicalAddress & 0xFFF)));
            return page != null;
        }

        public EntryExchange CompareExchange(ulong physicalAddress, ulong expected, ulong replacement, out ulong observed)
        {
            observed = 0;
            byte* page = cpu.WalkPage(physicalAddress, PhysicalAccess.WalkWrite, commit);
            if (page == null)
                return EntryExchange.Unreachable;
            observed = Interlocked.CompareExchange(ref *(ulong*)(page + (physicalAddress & 0xFFF)), replacement, expected);
            return Exchanged(physicalAddress, 8, observed == expected);
        }

        public EntryExchange CompareExchange(ulong physicalAddress, uint expected, uint replacement, out uint observed)
        {
            observed = 0;
            byte* page = cpu.WalkPage(physicalAddress, PhysicalAccess.WalkWrite, commit);
            if (page == null)
                return EntryExchange.Unreachable;
            observed = Interlocked.CompareExchange(ref *(uint*)(page + (physicalAddress & 0xFFF)), replacement, expected);
            return Exchanged(physicalAddress, 4, observed == expected);
        }

        private EntryExchange Exchanged(ulong address, int size, bool done)
        {
            if (!done)
                return EntryExchange.Changed;
            if (cpu.CodeMap.HasCode(address))
                cpu.ReportWrite(address, size);
            return EntryExchange.Exchanged;
        }
    }
}
