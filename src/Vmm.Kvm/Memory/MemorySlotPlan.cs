namespace Vmm.Kvm.Memory;

/// <summary>
/// Changes to a list of slots: sorted, without overlaps, and neighbours that continue each other are one. The lists given are not changed.
/// </summary>
internal static class MemorySlotPlan
{
    /// <summary>The list with one slot more; its range is free.</summary>
    public static List<MemorySlot> With(IReadOnlyList<MemorySlot> slots, in MemorySlot added)
    {
        List<MemorySlot> list = [.. slots, added];
        return Normalize(list);
    }

    /// <summary>The list without a range.</summary>
    public static List<MemorySlot> Without(IReadOnlyList<MemorySlot> slots, ulong address, ulong length) =>
        Change(slots, address, length, null);

    /// <summary>The list with a range changed.</summary>
    public static List<MemorySlot> Changed(
        IReadOnlyList<MemorySlot> slots, ulong address, ulong length, Func<MemorySlot, MemorySlot> change) =>
        Change(slots, address, length, change);

    private static List<MemorySlot> Change(
        IReadOnlyList<MemorySlot> slots, ulong address, ulong length, Func<MemorySlot, MemorySlot>? change)
    {
        ulong end = address + length;
        List<MemorySlot> list = new(slots.Count + 2);
        foreach (MemorySlot slot in slots)
        {
            ulong first = Math.Max(slot.Address, address), last = Math.Min(slot.End, end);
            if (first >= last)
            {
                list.Add(slot);
                continue;
            }
            if (slot.Address < first)
                list.Add(slot.Part(slot.Address, first));
            if (change is not null)
                list.Add(change(slot.Part(first, last)));
            if (last < slot.End)
                list.Add(slot.Part(last, slot.End));
        }
        return Normalize(list);
    }

    private static List<MemorySlot> Normalize(List<MemorySlot> list)
    {
        list.Sort(static (a, b) => a.Address.CompareTo(b.Address));
        List<MemorySlot> merged = new(list.Count);
        foreach (MemorySlot slot in list)
        {
            if (merged.Count > 0 && merged[^1].IsContinuedBy(in slot))
                merged[^1] = merged[^1] with { Length = merged[^1].Length + slot.Length };
            else
                merged.Add(slot);
        }
        return merged;
    }
}
