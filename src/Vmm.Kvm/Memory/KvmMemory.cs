namespace Vmm.Kvm.Memory;

/// <summary>The guest-physical address space of a virtual machine, kept by the kernel as memory slots.</summary>
internal sealed class KvmMemory(KvmPartition partition) : SecondLevelAddressTranslationBase(partition), IDisposable
{
    private readonly MemorySlotTable _table = new(partition.File, partition.Platform.MemorySlots);
    private readonly DoorbellWatcher _doorbells = new(partition.File, partition.Platform.HasAnyLengthEvents);
    private readonly List<(ulong First, ulong End)> _tracked = [];
    private readonly HashSet<ulong> _carried = []; // dirty pages that the kernel has told and nobody has asked for

    /// <inheritdoc/>
    public override SlatFormat? Format => null;

    /// <summary>Rings the doorbell that a store to unmapped memory hits.</summary>
    public bool Ring(ulong address, int size, ulong value) => TryRing(address, size, value);

    /// <summary>Lets go of doorbells and all memory; the virtual machine is gone.</summary>
    public void Dispose()
    {
        _doorbells.Dispose();
        ReleaseRegions();
    }

    /// <summary>Whether a page is memory that may not be written.</summary>
    public bool IsReadOnly(ulong address) => _table.Find(address) is { IsReadOnly: true };

    // One that the kernel does not take is rung where its store exits.
    protected override void RegisterDoorbellCore(in Doorbell doorbell, EventWaitHandle signal) => _doorbells.TryAdd(in doorbell, signal);

    protected override void UnregisterDoorbellCore(in Doorbell doorbell) => _doorbells.Remove(in doorbell);

    protected override void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access)
    {
        nint host = memory.DangerousGetHandle() + (nint)offset;
        bool readOnly = (access & GuestAccess.Write) == 0;
        List<MemorySlot> plan = [.. _table.Slots];
        for (ulong at = address; at < address + length;)
        {
            bool tracked = IsTracked(at, address + length, out ulong next);
            plan = MemorySlotPlan.With(plan, new MemorySlot(at, next - at, host + (nint)(at - address), readOnly, tracked));
            at = next;
        }
        Apply(plan);
    }

    protected override void UnmapCore(ulong address, ulong length) => Apply(MemorySlotPlan.Without(_table.Slots, address, length));

    protected override void ProtectCore(ulong address, ulong length, GuestAccess access) => Apply(MemorySlotPlan.Changed(
        _table.Slots, address, length, slot => slot with { IsReadOnly = (access & GuestAccess.Write) == 0 }));

    protected override void TrackDirtyCore(ulong address, ulong length, bool enable)
    {
        ulong last = address + length;
        for (int i = _tracked.Count - 1; i >= 0; i--)
        {
            (ulong first, ulong end) = _tracked[i];
            if (first >= last || end <= address)
                continue;
            _tracked.RemoveAt(i);
            if (first < address)
                _tracked.Add((first, address));
            if (end > last)
                _tracked.Add((last, end));
        }
        if (enable)
            _tracked.Add((address, last));
        Apply(MemorySlotPlan.Changed(_table.Slots, address, length, slot => slot with { IsTracked = enable }));
        if (!enable)
            _carried.RemoveWhere(page => page >= address && page < last);
    }

    protected override void HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap)
    {
        foreach (MemorySlot slot in _table.Slots)
        {
            if (slot.IsTracked && slot.Address < address + length && slot.End > address)
                _table.Harvest(in slot, _carried);
        }
        for (ulong page = address; page < address + length; page += 4096)
        {
            if (_carried.Remove(page))
                bitmap[(int)((page - address) >> 18)] |= 1UL << (int)((page - address) >> 12 & 63);
        }
    }

    private void Apply(List<MemorySlot> plan) => _table.Apply(plan, _carried);

    private bool IsTracked(ulong address, ulong limit, out ulong next)
    {
        next = limit;
        foreach ((ulong first, ulong end) in _tracked)
        {
            if (first <= address && address < end)
            {
                next = Math.Min(end, limit);
                return true;
            }
            if (address < first && first < next)
                next = first;
        }
        return false;
    }
}
