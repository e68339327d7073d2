using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor.Memory;

/// <summary>The guest-physical address space of a partition of the platform, which keeps the nested tables itself.</summary>
internal sealed unsafe partial class WhvMemory(WhvPartition partition) : SecondLevelAddressTranslationBase(partition)
{
    private readonly DirtyPages _dirty = new();

    /// <summary>
    /// Told of every range that the host writes: for a simulated processor, which does not see its process's stores as a real one does.
    /// </summary>
    public Action<ulong, ulong>? HostWrote { get; set; }

    /// <inheritdoc/>
    public override SlatFormat? Format => null;

    /// <summary>Rings the doorbell that a store to unmapped memory hits.</summary>
    public bool Ring(ulong address, int size, ulong value) => TryRing(address, size, value);

    /// <summary>Lets go of all memory; the partition is gone.</summary>
    public void Free()
    {
        ReleaseSignals();
        ReleaseRegions();
    }

    protected override void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access) =>
        Apply(address, (byte*)memory.DangerousGetHandle() + offset, length, access);

    protected override void UnmapCore(ulong address, ulong length)
    {
        foreach ((MappedRegion region, ulong first, ulong end) in Pieces(address, length))
        {
            if (partition.Platform.Features.PartialUnmap || (first == region.Address && end == region.Address + region.Length))
            {
                Remove(first, end - first);
                continue;
            }
            // An older platform unmaps whole mappings only: what stays is mapped again.
            Carry(region.Address, region.Address + region.Length);
            Remove(region.Address, region.Length);
            Remap(region, region.Address, first, region.Access);
            Remap(region, end, region.Address + region.Length, region.Access);
        }
    }

    protected override void ProtectCore(ulong address, ulong length, GuestAccess access)
    {
        foreach ((MappedRegion region, ulong first, ulong end) in Pieces(address, length))
        {
            Carry(first, end);
            Remap(region, first, end, access);
        }
    }

    protected override void OnHostWrite(ulong address, ulong length) => HostWrote?.Invoke(address, length);

    protected override void TrackDirtyCore(ulong address, ulong length, bool enable)
    {
        Carry(address, address + length);
        _dirty.Track(address, length, enable);
        foreach ((MappedRegion region, ulong first, ulong end) in Pieces(address, length))
            Remap(region, first, end, region.Access);
    }

    protected override void HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap)
    {
        Carry(address, address + length);
        _dirty.Harvest(address, length, bitmap);
    }

    // Takes the platform's dirty bits of a range over: mapping a range anew, and reading the bits, clears them.
    private void Carry(ulong address, ulong limit)
    {
        if (!_dirty.IsAnyTracked)
            return;
        foreach ((_, ulong first, ulong end) in Pieces(address, limit - address))
        {
            for (ulong at = first; at < end;)
            {
                bool tracked = _dirty.IsTracked(at, end, out ulong next);
                if (tracked)
                    CarryTracked(at, next);
                at = next;
            }
        }
    }

    private void CarryTracked(ulong first, ulong end)
    {
        int pages = (int)((end - first) >> 12);
        ulong[] dirty = new ulong[(pages + 63) / 64];
        // SAFETY: the buffer has a bit for each page of the range, in whole words.
        fixed (ulong* words = dirty)
        {
            WhvPlatform.Check(
                partition.Platform.Api.QueryGpaRangeDirtyBitmap(partition.Handle, first, end - first, words, (uint)(dirty.Length * sizeof(ulong))),
                "WHvQueryGpaRangeDirtyBitmap", Range(first, end));
        }
        _dirty.Add(first, dirty);
    }

    private void Remap(MappedRegion region, ulong first, ulong end, GuestAccess access)
    {
        if (first < end)
            Apply(first, (byte*)region.Memory.DangerousGetHandle() + region.Offset + (first - region.Address), end - first, access);
    }

    // Maps in as few calls as the tracked ranges allow: each call costs tens of microseconds.
    private void Apply(ulong address, byte* host, ulong length, GuestAccess access)
    {
        for (ulong done = 0; done < length;)
        {
            bool tracked = _dirty.IsTracked(address + done, address + length, out ulong next);
            ulong piece = next - (address + done);
            WhvMapGpaRangeFlags flags = Flags(access) | (tracked ? WhvMapGpaRangeFlags.TrackDirtyPages : 0);
            // SAFETY: the block holds the range, and the list of regions keeps the block alive while it is mapped.
            WhvPlatform.Check(
                partition.Platform.Api.MapGpaRange(partition.Handle, host + done, address + done, piece, flags), "WHvMapGpaRange",
                Range(address + done, next));
            done += piece;
        }
    }

    private void Remove(ulong address, ulong length) => WhvPlatform.Check(
        partition.Platform.Api.UnmapGpaRange(partition.Handle, address, length), "WHvUnmapGpaRange", Range(address, address + length));

    private WhvMapGpaRangeFlags Flags(GuestAccess access) =>
        ((access & GuestAccess.Read) != 0 ? WhvMapGpaRangeFlags.Read : 0)
        | ((access & GuestAccess.Write) != 0 ? WhvMapGpaRangeFlags.Write : 0)
        | ((access & GuestAccess.Execute) != 0 || !partition.Options.EnforceExecute ? WhvMapGpaRangeFlags.Execute : 0);

    private List<(MappedRegion Region, ulong First, ulong End)> Pieces(ulong address, ulong length)
    {
        List<(MappedRegion, ulong, ulong)> pieces = [];
        foreach (MappedRegion region in Regions)
        {
            ulong first = Math.Max(region.Address, address), end = Math.Min(region.Address + region.Length, address + length);
            if (first < end)
                pieces.Add((region, first, end));
        }
        return pieces;
    }

    private static string Range(ulong first, ulong end) => $"0x{first:X} to 0x{end - 1:X}";
}
