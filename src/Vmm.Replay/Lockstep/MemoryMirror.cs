using System.Collections.Immutable;

namespace Vmm.Replay;

/// <summary>The memory of both guests, and what both held at the last comparison.</summary>
internal sealed class MemoryMirror(IPartition first, IPartition second) : IDisposable
{
    private const int MostDifferences = 16;
    private const int Piece = 4096;

    // Beyond this much memory both backends are asked which pages changed; up to it all of it is looked at, so that what a client writes
    // past them is seen as well.
    private const ulong LittleMemory = 16 << 20;

    private readonly List<Block> _blocks = [];
    private readonly HashSet<(Block Block, ulong Offset)> _changed = [];
    private bool _isTracked;
    private bool _isAllChanged = true;
    private ulong[] _bits = [];

    /// <summary>The second guest's memory for a block of the client's.</summary>
    public GuestMemory TwinOf(GuestMemory memory)
    {
        foreach (Block block in _blocks)
        {
            if (ReferenceEquals(block.First, memory))
                return block.Second;
        }
        GuestMemory twin = second.AllocateMemory(memory.Length);
        Block added = new(memory, twin, second.AllocateMemory(memory.Length));
        _blocks.Add(added);
        Copy(memory, twin);
        Copy(memory, added.Agreed);
        return twin;
    }

    /// <summary>Mappings change, or have changed.</summary>
    public void Remap()
    {
        ulong total = 0;
        foreach (Block block in _blocks)
            total += block.First.Length;
        bool canTrack = first.Capabilities.Has(Capability.DirtyTracking) && second.Capabilities.Has(Capability.DirtyTracking);
        _isAllChanged = true;
        _isTracked = canTrack && total > LittleMemory;
        if (!_isTracked)
            return;
        foreach (MappedRegion region in first.Memory.Regions)
        {
            first.Memory.TrackDirty(region.Address, region.Length, true);
            second.Memory.TrackDirty(region.Address, region.Length, true);
        }
    }

    /// <summary>
    /// Before guests run: what the client wrote into the first guest's memory meanwhile goes to the second's, and both are what the next
    /// comparison starts from.
    /// </summary>
    public void Take()
    {
        foreach ((Block block, ulong offset) in Pages())
        {
            ReadOnlySpan<byte> now = block.First.GetSpan(offset, Piece);
            Span<byte> agreed = block.Agreed.GetSpan(offset, Piece);
            if (now.SequenceEqual(agreed))
                continue;
            now.CopyTo(agreed);
            Span<byte> other = block.Second.GetSpan(offset, Piece);
            if (now.SequenceEqual(other))
                continue;
            now.CopyTo(other);
            Notify(second.Memory, block.Second, offset);
        }
        _changed.Clear();
        _isAllChanged = false;
    }

    /// <summary>Both guests' memory becomes what it was at the last comparison.</summary>
    public void Rewind()
    {
        foreach ((Block block, ulong offset) in Pages())
        {
            Restore(first.Memory, block.First, block.Agreed, offset);
            Restore(second.Memory, block.Second, block.Agreed, offset);
        }
    }

    /// <summary>The second guest's memory becomes the first's.</summary>
    public void CopyToSecond()
    {
        foreach ((Block block, ulong offset) in Pages())
            Restore(second.Memory, block.Second, block.First, offset);
    }

    /// <summary>Compares what is mapped.</summary>
    public ImmutableArray<MemoryDifference> Compare()
    {
        ImmutableArray<MemoryDifference>.Builder? differences = null;
        foreach ((Block block, ulong offset) in Pages())
        {
            ReadOnlySpan<byte> one = block.First.GetSpan(offset, Piece), two = block.Second.GetSpan(offset, Piece);
            for (int at = one.CommonPrefixLength(two); at < Piece; at++)
            {
                if (one[at] == two[at])
                    continue;
                differences ??= ImmutableArray.CreateBuilder<MemoryDifference>();
                differences.Add(new MemoryDifference(AddressOf(block, offset) + (ulong)at, one[at], two[at]));
                if (differences.Count == MostDifferences)
                    return differences.ToImmutable();
            }
        }
        return differences?.ToImmutable() ?? [];
    }

    public void Dispose()
    {
        foreach (Block block in _blocks)
        {
            block.Second.Dispose();
            block.Agreed.Dispose();
        }
    }

    private static void Copy(GuestMemory from, GuestMemory to)
    {
        for (ulong offset = 0; offset < from.Length; offset += Piece)
        {
            ReadOnlySpan<byte> piece = from.GetSpan(offset, Piece);
            if (piece.ContainsAnyExcept((byte)0))
                piece.CopyTo(to.GetSpan(offset, Piece));
        }
    }

    private static void Restore(ISecondLevelAddressTranslation memory, GuestMemory block, GuestMemory from, ulong offset)
    {
        ReadOnlySpan<byte> wanted = from.GetSpan(offset, Piece);
        Span<byte> now = block.GetSpan(offset, Piece);
        if (now.SequenceEqual(wanted))
            return;
        wanted.CopyTo(now);
        Notify(memory, block, offset);
    }

    private ulong AddressOf(Block block, ulong offset)
    {
        foreach (MappedRegion region in first.Memory.Regions)
        {
            if (ReferenceEquals(region.Memory, block.First) && offset >= region.Offset && offset - region.Offset < region.Length)
                return region.Address + (offset - region.Offset);
        }
        return offset; // not mapped now
    }

    private List<(Block Block, ulong Offset)> Pages()
    {
        List<(Block, ulong)> pages = [];
        if (!_isTracked || _isAllChanged)
        {
            foreach (Block block in _blocks)
            {
                for (ulong offset = 0; !block.First.IsClosed && offset < block.First.Length; offset += Piece)
                    pages.Add((block, offset));
            }
            return pages;
        }
        foreach (MappedRegion region in first.Memory.Regions)
        {
            Block block = _blocks.Find(it => ReferenceEquals(it.First, region.Memory))!;
            Collect(first.Memory, in region, block);
            Collect(second.Memory, in region, block);
        }
        pages.AddRange(_changed);
        return pages;
    }

    private void Collect(ISecondLevelAddressTranslation memory, in MappedRegion region, Block block)
    {
        int words = (int)((region.Length / Piece + 63) / 64);
        if (_bits.Length < words)
            _bits = new ulong[words];
        if (memory.GetAndClearDirty(region.Address, region.Length, _bits.AsSpan(0, words)) == 0)
            return;
        for (int word = 0; word < words; word++)
        {
            for (ulong bits = _bits[word]; bits != 0; bits &= bits - 1)
                _changed.Add((block, region.Offset + ((ulong)((word * 64) + System.Numerics.BitOperations.TrailingZeroCount(bits)) * Piece)));
        }
    }

    private static void Notify(ISecondLevelAddressTranslation memory, GuestMemory block, ulong offset)
    {
        foreach (MappedRegion region in memory.Regions)
        {
            if (ReferenceEquals(region.Memory, block) && offset >= region.Offset && offset - region.Offset < region.Length)
                memory.NotifyWritten(region.Address + (offset - region.Offset), Piece);
        }
    }

    private sealed record Block(GuestMemory First, GuestMemory Second, GuestMemory Agreed);
}
