using System.Runtime.CompilerServices;

namespace Vmm;

/// <summary>
/// Base of a partition's address space: alignment and width checks, the list of regions with overlap, split and merge, lifetime of the
/// memory, host access, accumulated dirty bits, doorbells. A backend overrides the <c>…Core</c> members.
/// </summary>
/// <remarks>Changes stop the partition's processors, so a <c>…Core</c> change never races with guest code.</remarks>
public abstract partial class SecondLevelAddressTranslationBase : ISecondLevelAddressTranslation
{
    private readonly PartitionBase _partition;
    private readonly Lock _change = new();
    private volatile RegionMap _map = RegionMap.Empty;

    /// <summary>Makes an empty address space.</summary>
    protected SecondLevelAddressTranslationBase(PartitionBase partition)
    {
        ArgumentNullException.ThrowIfNull(partition);
        _partition = partition;
    }

    /// <inheritdoc/>
    public abstract SlatFormat? Format { get; }

    /// <inheritdoc/>
    public int AddressBits => _partition.Capabilities.PhysicalAddressBits;

    /// <inheritdoc/>
    public IReadOnlyList<MappedRegion> Regions => _map.Regions;

    /// <inheritdoc/>
    public virtual SlatStatistics Statistics => default;

    /// <summary>The partition.</summary>
    protected PartitionBase Partition => _partition;

    /// <inheritdoc/>
    public void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false)
    {
        ArgumentNullException.ThrowIfNull(memory);
        CheckRange(address, length);
        CheckAccess(access);
        if ((offset & 0xFFF) != 0 || offset > memory.Length || length > memory.Length - offset)
            throw new ArgumentException($"Offset 0x{offset:X} + 0x{length:X} is not a page-aligned range of the block of 0x{memory.Length:X} bytes.", nameof(offset));
        ObjectDisposedException.ThrowIf(memory.IsClosed || memory.IsInvalid, memory);
        Change("map", address, length, access, () =>
        {
            if (!replace && _map.FirstOverlap(address, length) is { } other)
            {
                throw new ArgumentException(
                    $"0x{address:X} + 0x{length:X} overlaps the mapping at 0x{other.Address:X} + 0x{other.Length:X}; unmap it or ask to replace it.", nameof(address));
            }
            bool covered = replace && _map.FirstOverlap(address, length) is not null;
            bool held = false;
            memory.DangerousAddRef(ref held);
            try
            {
                if (covered)
                    UnmapCore(address, length);
                MapCore(address, memory, offset, length, access);
                Install(_map.With(new MappedRegion(address, length, memory, offset, access)));
            }
            finally
            {
                if (held)
                    memory.DangerousRelease();
            }
        });
    }

    /// <inheritdoc/>
    public void Unmap(ulong address, ulong length)
    {
        CheckRange(address, length);
        Change("unmap", address, length, GuestAccess.None, () =>
        {
            if (_map.FirstOverlap(address, length) is null)
                return;
            UnmapCore(address, length);
            Install(_map.Without(address, length));
        });
    }

    /// <inheritdoc/>
    public void Protect(ulong address, ulong length, GuestAccess access)
    {
        CheckRange(address, length);
        CheckAccess(access);
        Change("protect", address, length, access, () =>
        {
            if (_map.FirstHole(address, length) is { } hole)
                throw new ArgumentException($"0x{hole:X} of the range 0x{address:X} + 0x{length:X} is not mapped.", nameof(address));
            ProtectCore(address, length, access);
            Install(_map.WithAccess(address, length, access));
        });
    }

    /// <inheritdoc/>
    public PhysicalTranslationResult Translate(ulong address, GuestAccess access)
    {
        _partition.ThrowIfDisposed();
        return TranslateCore(address, access);
    }

    /// <summary>Maps; the range is free, aligned and inside the width. Processors are stopped.</summary>
    protected abstract void MapCore(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access);

    /// <summary>Unmaps whatever is mapped in the range. Processors are stopped.</summary>
    protected abstract void UnmapCore(ulong address, ulong length);

    /// <summary>Changes rights; the whole range is mapped. Processors are stopped.</summary>
    protected abstract void ProtectCore(ulong address, ulong length, GuestAccess access);

    /// <summary>Answers from the nested tables; the default answers from the list of regions.</summary>
    protected virtual PhysicalTranslationResult TranslateCore(ulong address, GuestAccess access)
    {
        if (_map.Find(address) is not { } region)
            return new PhysicalTranslationResult { Status = TranslationStatus.Unmapped };
        return new PhysicalTranslationResult
        {
            Status = (region.Access & access) == access ? TranslationStatus.Success : TranslationStatus.AccessDenied,
            Access = region.Access,
        };
    }

    /// <summary>Releases the memory of all regions; from the partition's <see cref="PartitionBase.DisposeCore"/>.</summary>
    protected internal void ReleaseRegions()
    {
        lock (_change)
            Install(RegionMap.Empty);
    }

    private void Change(string operation, ulong address, ulong length, GuestAccess access, Action change)
    {
        _partition.ThrowIfDisposed();
        lock (_change)
        {
            _partition.BeginStop();
            try
            {
                _partition.ThrowIfDisposed();
                change();
            }
            finally
            {
                _partition.EndStop();
            }
        }
        BackendLog.MemoryChanged(_partition.Logger, _partition.Capabilities.Backend, operation, address, length, access);
    }

    private void Install(RegionMap map)
    {
        // Every region of a list holds its block once; the new list takes its holds before the old one lets go.
        RegionMap old = _map;
        foreach (MappedRegion region in map.Regions)
        {
            bool held = false;
            region.Memory.DangerousAddRef(ref held);
        }
        _map = map;
        foreach (MappedRegion region in old.Regions)
            region.Memory.DangerousRelease();
    }

    private void CheckRange(ulong address, ulong length)
    {
        if ((address & 0xFFF) != 0)
            throw new ArgumentException($"Address 0x{address:X} is not page-aligned.", nameof(address));
        if (length == 0 || (length & 0xFFF) != 0)
            throw new ArgumentException($"Length 0x{length:X} is not a multiple of 4096 above 0.", nameof(length));
        ulong end = 1UL << AddressBits;
        if (address >= end || length > end - address)
            throw new ArgumentException($"0x{address:X} + 0x{length:X} is beyond the address width of {AddressBits} bits.", nameof(address));
    }

    private void CheckAccess(GuestAccess access)
    {
        if (access == GuestAccess.None || (access & ~GuestAccess.All) != 0)
            throw new ArgumentException($"{access} is no set of rights: name at least one of Read, Write, Execute.", nameof(access));
        if ((access & GuestAccess.ReadWrite) == GuestAccess.Write)
            throw new ArgumentException("Write access needs read access too.", nameof(access));
        if (access == GuestAccess.Execute)
            _partition.Capabilities.Require(Capability.ExecuteOnly);
    }
}
