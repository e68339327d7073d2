using System.Runtime.CompilerServices;

namespace Vmm.X86.Paging;

/// <summary>
/// Walks the guest's paging structures (SDM Vol. 3A chapter 4; APM Vol. 2 chapter 5). Nothing is allocated, nothing is thrown for
/// anything the guest wrote, and the memory seam is called without indirection.
/// </summary>
/// <remarks>
/// Any number of walks may run at once over the same structures while other processors write them. An entry is read once; its A and D
/// flags are set by compare-exchange against that value, and a walk that finds the entry changed starts over. The linear address must
/// be canonical for the mode: that check comes before paging and raises another fault.
/// </remarks>
public static partial class PageWalker
{
    // A guest may rewrite an entry without end on another processor. After so many attempts the translation just read stands and its
    // flags are left to that processor, so that a walk always ends.
    private const int MaximumRestarts = 64;

    /// <summary>
    /// Translates an address for an access and, when it is allowed, sets the accessed flags and for a write the dirty flag.
    /// </summary>
    /// <typeparam name="TMemory">The memory seam.</typeparam>
    /// <param name="mode">The paging mode.</param>
    /// <param name="memory">Guest-physical memory.</param>
    /// <param name="linearAddress">A canonical linear address; bits 31:0 count outside of 4-level and 5-level paging.</param>
    /// <param name="access">The access.</param>
    /// <param name="result">The translation, the page fault or the entry that could not be reached.</param>
    /// <returns>The outcome, as in the result.</returns>
    public static PageWalkOutcome Walk<TMemory>(
        in PagingMode mode, ref TMemory memory, ulong linearAddress, PageAccess access, out PageWalkResult result)
        where TMemory : IPageTableMemory, allows ref struct =>
        Dispatch(mode, ref memory, linearAddress, access, true, out result);

    /// <summary>Says what <see cref="Walk"/> would say, and changes nothing.</summary>
    /// <typeparam name="TMemory">The memory seam; only its reads are used.</typeparam>
    /// <param name="mode">The paging mode.</param>
    /// <param name="memory">Guest-physical memory.</param>
    /// <param name="linearAddress">A canonical linear address; bits 31:0 count outside of 4-level and 5-level paging.</param>
    /// <param name="access">The access.</param>
    /// <param name="result">The translation, the page fault or the entry that could not be reached; D is reported as it stands.</param>
    /// <returns>The outcome, as in the result.</returns>
    public static PageWalkOutcome Probe<TMemory>(
        in PagingMode mode, ref TMemory memory, ulong linearAddress, PageAccess access, out PageWalkResult result)
        where TMemory : IPageTableMemory, allows ref struct =>
        Dispatch(mode, ref memory, linearAddress, access, false, out result);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PageWalkOutcome Dispatch<TMemory>(
        in PagingMode mode, ref TMemory memory, ulong linearAddress, PageAccess access, bool commit, out PageWalkResult result)
        where TMemory : IPageTableMemory, allows ref struct => mode.Structure switch
        {
            PagingStructure.None => Identity(linearAddress, out result),
            PagingStructure.ThirtyTwoBit => WalkShort(mode, ref memory, linearAddress, access, commit, out result),
            _ => WalkLong(mode, ref memory, linearAddress, access, commit, out result),
        };

    private static PageWalkOutcome Identity(ulong linearAddress, out PageWalkResult result)
    {
        result = default;
        result.PhysicalAddress = linearAddress & uint.MaxValue;
        result.PageSizeLog2 = 12;
        result.Rights = PageRights.All;
        result.Dirty = true;
        return PageWalkOutcome.Translated;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PageWalkOutcome Unreachable(ulong entryAddress, int level, out PageWalkResult result)
    {
        result = default;
        result.Outcome = PageWalkOutcome.EntryUnreachable;
        result.PhysicalAddress = entryAddress;
        result.Level = (byte)level;
        return PageWalkOutcome.EntryUnreachable;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PageWalkOutcome Fault(
        in PagingMode mode,
        PageAccess access,
        PageFaultCode cause,
        ulong entryAddress,
        int level,
        PageRights rights,
        out PageWalkResult result)
    {
        result = default;
        result.Outcome = PageWalkOutcome.PageFault;
        result.ErrorCode = cause | ((PageFaultCode)access & mode.FaultCodeMask);
        result.PhysicalAddress = entryAddress;
        result.Level = (byte)level;
        result.Rights = rights;
        return PageWalkOutcome.PageFault;
    }

    /// <summary>A protection fault: names the highest level whose own flags refuse the access.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static PageWalkOutcome ProtectionFault(
        in PagingMode mode,
        PageAccess access,
        PageFaultCode keyCode,
        in EntryTrail entries,
        in EntryTrail addresses,
        int top,
        int mapping,
        PageRights rights,
        out PageWalkResult result)
    {
        int level = top;
        while (level > mapping)
        {
            ulong entry = entries[level];
            bool refuses = (access & PageAccess.User) != 0 && (entry & PageEntry.User) == 0;
            refuses |= (access & PageAccess.Write) != 0 && (entry & PageEntry.Writable) == 0;
            refuses |= (access & PageAccess.Execute) != 0 && mode.NoExecute && (entry & PageEntry.ExecuteDisable) != 0;
            if (refuses)
                break;
            level--;
        }

        return Fault(mode, access, PageFaultCode.Present | keyCode, addresses[level], level, rights, out result);
    }
}
