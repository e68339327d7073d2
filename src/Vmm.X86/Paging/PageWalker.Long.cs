using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <content>PAE, 4-level and 5-level paging: 8-byte entries.</content>
public static partial class PageWalker
{
    [SkipLocalsInit]
    private static PageWalkOutcome WalkLong<TMemory>(
        in PagingMode mode, ref TMemory memory, ulong linearAddress, PageAccess access, bool commit, out PageWalkResult result)
        where TMemory : IPageTableMemory, allows ref struct
    {
        EntryTrail entries;
        Unsafe.SkipInit(out entries);
        EntryTrail addresses;
        Unsafe.SkipInit(out addresses);
        for (int restart = 0; ; restart++)
        {
            int top;
            ulong table;
            if (mode.Structure == PagingStructure.Pae)
            {
                linearAddress &= uint.MaxValue;
                int index = (int)(linearAddress >> 30);
                ulong pointer = mode.PaePointer(index);
                if ((pointer & PageEntry.Present) == 0)
                    return Fault(mode, access, PageFaultCode.None, mode.Root + ((ulong)index * 8), 3, PageRights.None, out result);
                table = pointer & mode.AddressMask;
                top = 2;
            }
            else
            {
                table = mode.Root;
                top = mode.Structure == PagingStructure.FiveLevel ? 5 : 4;
            }

            // R/W and U/S are the AND over the entries, XD the OR: complementing XD on the way in makes all of them an AND.
            ulong common = ulong.MaxValue;
            int level = top;
            ulong entry;
            while (true)
            {
                ulong address = table + ((linearAddress >> (9 * level)) & 0xFF8);
                if (!memory.TryRead(address, out entry))
                    return Unreachable(address, level, out result);
                if ((entry & PageEntry.Present) == 0)
                    return Fault(mode, access, PageFaultCode.None, address, level, PageRights.None, out result);

                entries[level] = entry;
                addresses[level] = address;
                common &= entry ^ PageEntry.ExecuteDisable;
                ulong reserved = mode.Reserved;
                bool maps = level == 1;
                if ((entry & PageEntry.PageSize) != 0 && level != 1)
                {
                    maps = level <= 3;
                    reserved = level switch
                    {
                        2 => reserved | PageEntry.TwoMegabyteReserved,
                        3 => mode.GigabyteReserved,
                        _ => reserved | PageEntry.PageSize,
                    };
                }

                if ((entry & reserved) != 0)
                    return Fault(mode, access, PageFaultCode.Present | PageFaultCode.Reserved, address, level, PageRights.None, out result);
                if (maps)
                    break;
                table = entry & mode.AddressMask;
                level--;
            }

            PageRights rights = mode.RightsOf(common ^ PageEntry.ExecuteDisable, (access & PageAccess.SmapOverride) != 0);
            PageFaultCode keyCode = PageFaultCode.None;
            if (mode.KeyRights != 0 && (common & PageEntry.User) != 0)
            {
                PageRights refused = mode.RefusedByKey(entry);
                if (refused.Allows(access))
                    keyCode = PageFaultCode.ProtectionKey;
                rights &= ~refused;
            }

            if (!rights.Allows(access))
                return ProtectionFault(mode, access, keyCode, entries, addresses, top, level, rights, out result);

            if (commit)
            {
                ulong mappingFlags = (access & PageAccess.Write) != 0 ? PageEntry.Accessed | PageEntry.Dirty : PageEntry.Accessed;
#if VMM_MUTANTS
                if (Broken(Mutant.DirtyBitNotSet))
                    mappingFlags = PageEntry.Accessed;
#endif
                if ((common & PageEntry.Accessed) == 0 || (entry & mappingFlags) != mappingFlags)
                {
                    EntryExchange exchange = SetFlags(ref memory, ref entries, addresses, top, level, mappingFlags, out int failing);
                    if (exchange == EntryExchange.Unreachable)
                        return Unreachable(addresses[failing], failing, out result);
                    if (exchange == EntryExchange.Changed && restart < MaximumRestarts)
                        continue;
                    entry = entries[level];
                }
            }

            int sizeLog2 = 3 + (9 * level);
            ulong offsetMask = (1UL << sizeLog2) - 1;
            result.PhysicalAddress = (entry & mode.AddressMask & ~offsetMask) | (linearAddress & offsetMask);
            result.ErrorCode = PageFaultCode.None;
            result.Outcome = PageWalkOutcome.Translated;
            result.Level = (byte)level;
            result.PageSizeLog2 = (byte)sizeLog2;
            result.Rights = rights;
            result.Dirty = (entry & PageEntry.Dirty) != 0;
            result.Global = mode.GlobalPages && (entry & PageEntry.Global) != 0;
            result.UserPage = (common & PageEntry.User) != 0;
            return PageWalkOutcome.Translated;
        }
    }

    /// <summary>
    /// Sets A from the root down and, where asked, D in the mapping entry; stops at an entry that no longer says what it said.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EntryExchange SetFlags<TMemory>(
        ref TMemory memory, ref EntryTrail entries, in EntryTrail addresses, int top, int mapping, ulong mappingFlags, out int failing)
        where TMemory : IPageTableMemory, allows ref struct
    {
        for (failing = top; failing >= mapping; failing--)
        {
            ulong flags = failing == mapping ? mappingFlags : PageEntry.Accessed;
            ulong entry = entries[failing];
            for (int attempt = 0; (entry & flags) != flags; attempt++)
            {
                EntryExchange exchange = memory.CompareExchange(addresses[failing], entry, entry | flags, out ulong observed);
                if (exchange == EntryExchange.Exchanged)
                {
                    entry |= flags;
                    break;
                }

                if (exchange == EntryExchange.Unreachable || attempt == MaximumRestarts
                    || ((observed ^ entry) & ~PageEntry.Harmless) != 0)
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
