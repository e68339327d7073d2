using Vmm.Kvm.Interop;

namespace Vmm.Kvm.Memory;

/// <summary>
/// The kernel's slots: brings them to a planned list with as few calls as that takes, and uses the numbers of removed ones again.
/// </summary>
/// <remarks>Changes are made while no processor runs, so that no guest sees a slot missing.</remarks>
internal sealed unsafe class MemorySlotTable(int machine, int capacity)
{
    private readonly Dictionary<MemorySlot, uint> _numbers = [];
    private readonly SortedSet<uint> _free = [];
    private List<MemorySlot> _slots = [];
    private uint _next;

    /// <summary>What the kernel has, by address.</summary>
    public IReadOnlyList<MemorySlot> Slots => _slots;

    /// <summary>The slot that holds an address.</summary>
    public MemorySlot? Find(ulong address)
    {
        foreach (MemorySlot slot in _slots)
        {
            if (slot.Address <= address && address < slot.End)
                return slot;
        }
        return null;
    }

    /// <summary>Makes the kernel's slots those of a list, or leaves them as they were and throws.</summary>
    /// <param name="plan">Sorted, without overlaps.</param>
    /// <param name="dirty">Takes the pages that slots which go away have logged.</param>
    public void Apply(List<MemorySlot> plan, DirtyPages dirty)
    {
        if (plan.Count > capacity)
            throw new HypervisorException(KvmBackend.BackendName, "mapping memory", 0, $"{plan.Count} pieces",
                $"The kernel takes {capacity}: map fewer, larger pieces.");
        HashSet<MemorySlot> wanted = [.. plan];
        List<MemorySlot> removed = [.. _slots.Where(slot => !wanted.Contains(slot))];
        List<MemorySlot> added = [.. plan.Where(slot => !_numbers.ContainsKey(slot))];
        TakeFlagChanges(removed, added, dirty);
        foreach (MemorySlot slot in removed)
        {
            if (slot.IsTracked)
                Harvest(in slot, dirty);
            Remove(in slot);
        }
        for (int i = 0; i < added.Count; i++)
        {
            try
            {
                Add(added[i]);
            }
            catch (HypervisorException)
            {
                foreach (MemorySlot slot in added[..i])
                    Remove(in slot);
                foreach (MemorySlot slot in removed)
                    Add(in slot);
                throw;
            }
        }
        _slots = plan;
    }

    /// <summary>Takes the kernel's log of a slot, which starts anew.</summary>
    public void Harvest(in MemorySlot slot, DirtyPages dirty)
    {
        ulong[] bitmap = new ulong[((slot.Length >> 12) + 63) / 64];
        // SAFETY: the kernel writes a bit for each page of the slot, in whole words.
        fixed (ulong* words = bitmap)
        {
            KvmDirtyLog log = new() { Slot = _numbers[slot], Bitmap = words };
            KvmFailure.Check(Libc.Control(machine, KvmIoctl.GetDirtyLog, &log), "KVM_GET_DIRTY_LOG", Range(in slot));
        }
        dirty.Add(slot.Address, bitmap);
    }

    // Tracking is switched on and off in place: the slot keeps its number and its tables.
    private void TakeFlagChanges(List<MemorySlot> removed, List<MemorySlot> added, DirtyPages dirty)
    {
        for (int i = added.Count - 1; i >= 0; i--)
        {
            MemorySlot wanted = added[i], other = wanted with { IsTracked = !wanted.IsTracked };
            if (!removed.Remove(other))
                continue;
            if (other.IsTracked)
                Harvest(in other, dirty);
            uint number = _numbers[other];
            Set(number, in wanted, wanted.Length);
            _numbers.Remove(other);
            _numbers.Add(wanted, number);
            added.RemoveAt(i);
            _slots[_slots.IndexOf(other)] = wanted;
        }
    }

    private void Add(in MemorySlot slot)
    {
        uint number = _free.Count != 0 ? _free.Min : _next;
        Set(number, in slot, slot.Length);
        if (!_free.Remove(number))
            _next++;
        _numbers.Add(slot, number);
    }

    private void Remove(in MemorySlot slot)
    {
        uint number = _numbers[slot];
        Set(number, in slot, 0);
        _numbers.Remove(slot);
        _free.Add(number);
    }

    private void Set(uint number, in MemorySlot slot, ulong length)
    {
        KvmMemoryRegion region = new()
        {
            Slot = number, GuestPhysicalAddress = slot.Address, Length = length, HostAddress = (ulong)slot.Host,
            Flags = (slot.IsReadOnly ? KvmMemoryRegion.ReadOnly : 0) | (slot.IsTracked ? KvmMemoryRegion.LogDirtyPages : 0),
        };
        KvmFailure.Check(Libc.Control(machine, KvmIoctl.SetUserMemoryRegion, &region), KvmFailure.SetMemory, Range(in slot));
    }

    private static string Range(in MemorySlot slot) => $"0x{slot.Address:X} to 0x{slot.End - 1:X}";
}
