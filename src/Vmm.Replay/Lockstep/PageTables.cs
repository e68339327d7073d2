using System.Buffers.Binary;

namespace Vmm.Replay;

/// <summary>The pages that hold a guest's paging structures (SDM Vol. 3A 4.3 to 4.5).</summary>
internal static class PageTables
{
    private const int MostTables = 4096;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>All that CR3 leads to, at most some thousands.</summary>
    public static HashSet<ulong> Of(IVirtualProcessor processor)
    {
        HashSet<ulong> pages = [];
        processor.GetState(RegisterGroups.Control, out ProcessorState state);
        if ((state.Control.Cr0 & 0x8000_0000) == 0)
            return pages;
        bool isLong = (state.Control.Efer & 0x400) != 0, isWide = (state.Control.Cr4 & 0x20) != 0;
        int levels = isLong ? ((state.Control.Cr4 & 0x1000) != 0 ? 5 : 4) : isWide ? 3 : 2;
        Add(processor.Partition.Memory, state.Control.Cr3 & AddressMask, levels, isWide, pages);
        return pages;
    }

    private static void Add(ISecondLevelAddressTranslation memory, ulong table, int level, bool isWide, HashSet<ulong> pages)
    {
        if (pages.Count == MostTables || !pages.Add(table) || level == 1 || !memory.TryGetSpan(table, 4096, false, out Span<byte> entries))
            return;
        int size = isWide ? 8 : 4;
        for (int offset = 0; offset < 4096; offset += size)
        {
            ulong entry = isWide ? BinaryPrimitives.ReadUInt64LittleEndian(entries[offset..]) : BinaryPrimitives.ReadUInt32LittleEndian(entries[offset..]);
            bool isLeaf = (entry & 0x80) != 0 && level is 2 or 3;
            if ((entry & 1) != 0 && !isLeaf)
                Add(memory, entry & AddressMask, level - 1, isWide, pages);
        }
    }
}
