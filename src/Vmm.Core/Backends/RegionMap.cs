using System.Collections.Immutable;

namespace Vmm;

/// <summary>An immutable, sorted list of mapped regions without overlaps; neighbours that continue each other are one.</summary>
internal sealed class RegionMap
{
    private readonly ImmutableArray<MappedRegion> _regions;

    private RegionMap(ImmutableArray<MappedRegion> regions) => _regions = regions;

    public static RegionMap Empty { get; } = new([]);

    public ImmutableArray<MappedRegion> Regions => _regions;

    /// <summary>The region that holds an address, or null.</summary>
    public MappedRegion? Find(ulong address)
    {
        int index = IndexOf(address);
        return index >= 0 ? _regions[index] : null;
    }

    /// <summary>The first region that shares a byte with the range, or null.</summary>
    public MappedRegion? FirstOverlap(ulong address, ulong length)
    {
        foreach (MappedRegion region in _regions)
        {
            if (region.Address + (region.Length - 1) >= address && region.Address <= address + (length - 1))
                return region;
        }
        return null;
    }

    /// <summary>The first address of the range that no region holds, or null.</summary>
    public ulong? FirstHole(ulong address, ulong length)
    {
        ulong last = address + (length - 1);
        for (ulong at = address; ;)
        {
            if (Find(at) is not { } region)
                return at;
            ulong end = region.Address + (region.Length - 1);
            if (end >= last)
                return null;
            at = end + 1;
        }
    }

    /// <summary>Adds a region in place of whatever was there.</summary>
    public RegionMap With(MappedRegion added)
    {
        List<MappedRegion> list = Cut(added.Address, added.Length);
        list.Add(added);
        return Normalise(list);
    }

    /// <summary>Removes a range.</summary>
    public RegionMap Without(ulong address, ulong length) => Normalise(Cut(address, length));

    /// <summary>Changes the rights of a range.</summary>
    public RegionMap WithAccess(ulong address, ulong length, GuestAccess access)
    {
        List<MappedRegion> list = Cut(address, length);
        ulong last = address + (length - 1);
        foreach (MappedRegion region in _regions)
        {
            ulong first = Math.Max(region.Address, address), end = Math.Min(region.Address + (region.Length - 1), last);
            if (first <= end)
                list.Add(Part(region, first, end) with { Access = access });
        }
        return Normalise(list);
    }

    private static MappedRegion Part(MappedRegion region, ulong first, ulong last) =>
        region with { Address = first, Length = last - first + 1, Offset = region.Offset + (first - region.Address) };

    private static RegionMap Normalise(List<MappedRegion> list)
    {
        list.Sort((a, b) => a.Address.CompareTo(b.Address));
        ImmutableArray<MappedRegion>.Builder merged = ImmutableArray.CreateBuilder<MappedRegion>(list.Count);
        foreach (MappedRegion region in list)
        {
            if (merged.Count > 0 && merged[^1] is var before && before.Address + before.Length == region.Address && before.Access == region.Access
                && ReferenceEquals(before.Memory, region.Memory) && before.Offset + before.Length == region.Offset)
            {
                merged[^1] = before with { Length = before.Length + region.Length };
            }
            else
            {
                merged.Add(region);
            }
        }
        return merged.Count == 0 ? Empty : new RegionMap(merged.ToImmutable());
    }

    private List<MappedRegion> Cut(ulong address, ulong length)
    {
        ulong last = address + (length - 1);
        List<MappedRegion> list = new(_regions.Length + 2);
        foreach (MappedRegion region in _regions)
        {
            ulong end = region.Address + (region.Length - 1);
            if (end < address || region.Address > last)
            {
                list.Add(region);
                continue;
            }
            if (region.Address < address)
                list.Add(Part(region, region.Address, address - 1));
            if (end > last)
                list.Add(Part(region, last + 1, end));
        }
        return list;
    }

    private int IndexOf(ulong address)
    {
        int low = 0, high = _regions.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            MappedRegion region = _regions[middle];
            if (address < region.Address)
                high = middle - 1;
            else if (address - region.Address >= region.Length)
                low = middle + 1;
            else
                return middle;
        }
        return -1;
    }
}
