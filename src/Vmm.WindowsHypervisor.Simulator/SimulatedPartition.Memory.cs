using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Simulator;

internal sealed partial class SimulatedPartition
{
    private const ulong PageMask = 0xFFF;
    private const WhvMapGpaRangeFlags Known =
        WhvMapGpaRangeFlags.Read | WhvMapGpaRangeFlags.Write | WhvMapGpaRangeFlags.Execute | WhvMapGpaRangeFlags.TrackDirtyPages;

    private readonly List<SourceMemory> _sources = [];

    /// <summary>Some guest-physical memory is mapped.</summary>
    public bool HasMappings => !_deleted && _inner is { Memory.Regions.Count: > 0 };

    public unsafe int Map(void* source, ulong address, ulong length, WhvMapGpaRangeFlags flags)
    {
        if (!IsSetUp || !IsRange(address, length) || ((ulong)source & PageMask) != 0 || source is null || (flags & ~Known) != 0)
            return WhvHResult.InvalidArgument;
        bool tracked = (flags & WhvMapGpaRangeFlags.TrackDirtyPages) != 0;
        GuestAccess access = (GuestAccess)(uint)(flags & (WhvMapGpaRangeFlags.Read | WhvMapGpaRangeFlags.Write | WhvMapGpaRangeFlags.Execute));
        if (access == GuestAccess.None || (tracked && !platform.Inner.Capabilities.Has(Capability.DirtyTracking)))
            return WhvHResult.InvalidArgument;
        if (platform.AnotherIsMapped(this))
            return WhvHResult.VidPartitionAlreadyExists;
        SourceMemory memory = new(source, length);
        lock (_lock)
            _sources.Add(memory);
        Inner.Memory.Map(address, memory, 0, length, access, replace: true);
        if (platform.Inner.Capabilities.Has(Capability.DirtyTracking))
            Inner.Memory.TrackDirty(address, length, tracked);
        return WhvHResult.Ok;
    }

    public int Unmap(ulong address, ulong length)
    {
        if (!IsSetUp || !IsRange(address, length))
            return WhvHResult.InvalidArgument;
        if (platform.IsOld && Inner.Memory.Regions.Any(region => Cuts(region, address, length)))
            return WhvHResult.InvalidArgument;
        Inner.Memory.Unmap(address, length);
        return WhvHResult.Ok;
    }

    public unsafe int QueryDirty(ulong address, ulong length, ulong* bitmap, uint bitmapBytes)
    {
        if (!IsSetUp || !IsRange(address, length) || ((ulong)bitmap & 7) != 0 || (bitmapBytes & 7) != 0)
            return WhvHResult.InvalidArgument;
        ulong words = ((length >> 12) + 63) / 64;
        if (bitmap is not null && bitmapBytes / 8 < words)
            return WhvHResult.InsufficientBuffer;
        ulong[] dirty = new ulong[words];
        try
        {
            Inner.Memory.GetAndClearDirty(address, length, dirty);
        }
        catch (InvalidOperationException)
        {
            return WhvHResult.GpaRangeNotFound;
        }
        for (ulong i = 0; bitmap is not null && i < words; i++)
            bitmap[i] = dirty[i];
        return WhvHResult.Ok;
    }

    /// <summary>The process wrote guest memory.</summary>
    public void NoticeHostWrite(ulong address, ulong length) => Inner.Memory.NotifyWritten(address, length);

    private bool IsRange(ulong address, ulong length)
    {
        ulong end = 1UL << Inner.Memory.AddressBits;
        return ((address | length) & PageMask) == 0 && length != 0 && address < end && length <= end - address;
    }

    // The first release unmaps whole mappings only.
    private static bool Cuts(MappedRegion region, ulong address, ulong length)
    {
        ulong first = Math.Max(region.Address, address), end = Math.Min(region.Address + region.Length, address + length);
        return first < end && (first != region.Address || end != region.Address + region.Length);
    }

    private void FreeMemory()
    {
        foreach (SourceMemory source in _sources)
            source.Dispose();
        _sources.Clear();
    }
}
