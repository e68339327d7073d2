namespace Vmm.Kvm.Memory;

/// <summary>The guest-physical address space of a virtual machine, kept by the kernel as memory slots.</summary>
internal sealed class KvmMemory(KvmPartition partition) : SecondLevelAddressTranslationBase(partition), IDisposable
{
    private readonly MemorySlotTable _table = new(partition.File, partition.Platform.MemorySlots);
    private readonly DoorbellWatcher _doorbells = new(partition.File);
    private readonly DirtyPages _dirty = new();

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
            bool tracked = _dirty.IsTracked(at, address + length, out ulong next);
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
        Apply(MemorySlotPlan.Changed(_table.Slots, address, length, slot => slot with { IsTracked = enable }));
        _dirty.Track(address, length, enable);
    }

    protected override void HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap)
    {
        foreach (MemorySlot slot in _table.Slots)
        {
            if (slot.IsTracked && slot.Address < address + length && slot.End > address)
                _table.Harvest(in slot, _dirty);
        }
        _dirty.Harvest(address, length, bitmap);
    }

    private void Apply(List<MemorySlot> plan) => _table.Apply(plan, _dirty);
}
