using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <content>32-bit paging: 4-byte entries, with 4 MiB pages and PSE-36.</content>
public static partial class PageWalker
{
    private static PageWalkOutcome WalkShort<TMemory>(
        in PagingMode mode, ref TMemory memory, ulong linearAddress, PageAccess access, bool commit, out PageWalkResult result)
        where TMemory : IPageTableMemory, allows ref struct
    {
        uint linear = (uint)linearAddress;
        EntryTrail entries = default;
        EntryTrail addresses = default;
        for (int restart = 0; ; restart++)
        {
            ulong address = mode.Root + ((linear >> 20) & 0xFFC);
            int level = 2;
            if (!memory.TryRead(address, out uint directoryEntry))
                return Unreachable(address, level, out result);
            if ((directoryEntry & PageEntry.Present) == 0)
                return Fault(mode, access, PageFaultCode.None, address, level, PageRights.None, out result);

            entries[level] = directoryEntry;
            addresses[level] = address;
            uint entry = directoryEntry;
            bool large = mode.LargePages && (directoryEntry & PageEntry.PageSize) != 0;
            if (large && (directoryEntry & mode.FourMegabyteReserved) != 0)
                return Fault(mode, access, PageFaultCode.Present | PageFaultCode.Reserved, address, level, PageRights.None, out result);
            if (!large)
            {
                level = 1;
                address = (directoryEntry & (uint)PageEntry.ThirtyTwoBitRootMask) + ((linear >> 10) & 0xFFC);
                if (!memory.TryRead(address, out entry))
                    return Unreachable(address, level, out result);
                if ((entry & PageEntry.Present) == 0)
                    return Fault(mode, access, PageFaultCode.None, address, level, PageRights.None, out result);
                entries[level] = entry;
                addresses[level] = address;
            }

            uint common = directoryEntry & entry;
            PageRights rights = mode.RightsOf(common, (access & PageAccess.SmapOverride) != 0);
            if (!rights.Allows(access))
                return ProtectionFault(mode, access, PageFaultCode.None, entries, addresses, 2, level, rights, out result);

            if (commit)
            {
                uint mappingFlags = (uint)((access & PageAccess.Write) != 0 ? PageEntry.Accessed | PageEntry.Dirty : PageEntry.Accessed);
                if ((common & PageEntry.Accessed) == 0 || (entry & mappingFlags) != mappingFlags)
                {
                    EntryExchange exchange = SetShortFlags(ref memory, ref entries, addresses, level, mappingFlags, out int failing);
                    if (exchange == EntryExchange.Unreachable)
                        return Unreachable(addresses[failing], failing, out result);
                    if (exchange == EntryExchange.Changed && restart < MaximumRestarts)
                        continue;
                    entry = (uint)entries[level];
                }
            }

            result = default;
            result.PhysicalAddress = large ? FourMegabyteAddress(entry, linear) : (entry & ~0xFFFu) | (linear & 0xFFF);
            result.Level = (byte)level;
            result.PageSizeLog2 = (byte)(large ? 22 : 12);
            result.Rights = rights;
            result.Dirty = (entry & PageEntry.Dirty) != 0;
            result.Global = mode.GlobalPages && (entry & PageEntry.Global) != 0;
            result.UserPage = (common & PageEntry.User) != 0;
            return PageWalkOutcome.Translated;
        }
    }

    private static ulong FourMegabyteAddress(uint entry, uint linear)
    {
        // Bits that PSE-36 does not use for the address were reserved, so they are zero here.
        ulong high = (entry >> PageEntry.PageSizeExtensionShift) & ((1u << PageEntry.PageSizeExtensionBits) - 1);
        return (high << 32) | (entry & PageEntry.FourMegabyteMask) | (linear & ~PageEntry.FourMegabyteMask);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EntryExchange SetShortFlags<TMemory>(
        ref TMemory memory, ref EntryTrail entries, in EntryTrail addresses, int mapping, uint mappingFlags, out int failing)
        where TMemory : IPageTableMemory, allows ref struct
    {
        for (failing = 2; failing >= mapping; failing--)
        {
            uint flags = failing == mapping ? mappingFlags : (uint)PageEntry.Accessed;
            uint entry = (uint)entries[failing];
            for (int attempt = 0; (entry & flags) != flags; attempt++)
            {
                EntryExchange exchange = memory.CompareExchange(addresses[failing], entry, entry | flags, out uint observed);
                if (exchange == EntryExchange.Exchanged)
                {
                    entry |= flags;
                    break;
                }

                if (exchange == EntryExchange.Unreachable || attempt == MaximumRestarts
                    || ((observed ^ entry) & ~(uint)PageEntry.Harmless) != 0)
                {
                    return exchange;
                }

                entry = observed;
            }

            entries[failing] = entry;
        }

        return EntryExchange.Exchanged;
    }
}
