using System.Numerics;

namespace Vmm;

public abstract partial class SecondLevelAddressTranslationBase
{
    private readonly Lock _dirtyLock = new();
    private readonly List<DirtyRange> _dirty = [];
    private volatile bool _anyDirtyTracking;

    /// <inheritdoc/>
    public void TrackDirty(ulong address, ulong length, bool enable)
    {
        _partition.Capabilities.Require(Capability.DirtyTracking);
        CheckRange(address, length);
        Change(enable ? "track" : "untrack", address, length, GuestAccess.None, () =>
        {
            lock (_dirtyLock)
            {
                // Ranges are tracked page by page; overlapping calls leave each page in one range at most.
                for (int i = _dirty.Count - 1; i >= 0; i--)
                {
                    DirtyRange range = _dirty[i];
                    if (range.Address >= address + length || range.End <= address)
                        continue;
                    _dirty.RemoveAt(i);
                    if (range.Address < address)
                        _dirty.Add(range.Part(range.Address, address));
                    if (range.End > address + length)
                        _dirty.Add(range.Part(address + length, range.End));
                }
                TrackDirtyCore(address, length, enable);
                if (enable)
                    _dirty.Add(new DirtyRange(address, length));
                _anyDirtyTracking = _dirty.Count != 0;
            }
        });
    }

    /// <inheritdoc/>
    public ulong GetAndClearDirty(ulong address, ulong length, Span<ulong> bitmap) => Collect(address, length, bitmap, true);

    /// <inheritdoc/>
    public ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap) => Collect(address, length, bitmap, false);

    /// <summary>Starts or stops the platform's own tracking of a range. Processors are stopped.</summary>
    protected virtual void TrackDirtyCore(ulong address, ulong length, bool enable) => _partition.Capabilities.Require(Capability.DirtyTracking);

    /// <summary>
    /// Reads and clears the platform's dirty bits of a tracked range: sets a bit of <paramref name="bitmap"/> for each dirty page.
    /// Processors are stopped.
    /// </summary>
    protected virtual void HarvestDirtyCore(ulong address, ulong length, Span<ulong> bitmap) => _partition.Capabilities.Require(Capability.DirtyTracking);

    private ulong Collect(ulong address, ulong length, Span<ulong> bitmap, bool clear)
    {
        _partition.Capabilities.Require(Capability.DirtyTracking);
        CheckRange(address, length);
        int pages = checked((int)(length >> 12));
        int words = (pages + 63) / 64;
        if (bitmap.Length < words)
            throw new ArgumentException($"{pages} pages need {words} words of bitmap, not {bitmap.Length}.", nameof(bitmap));
        ulong[] result = new ulong[words];
        Change(clear ? "collect" : "peek", address, length, GuestAccess.None, () =>
        {
            lock (_dirtyLock)
            {
                ulong covered = 0;
                foreach (DirtyRange range in _dirty)
                {
                    ulong first = Math.Max(range.Address, address), end = Math.Min(range.End, address + length);
                    if (first >= end)
                        continue;
                    covered += end - first;
                    ulong[] fresh = new ulong[(int)(((end - first) >> 12) + 63) / 64];
                    HarvestDirtyCore(first, end - first, fresh);
                    for (ulong page = first; page < end; page += 4096)
                    {
                        int index = (int)((page - first) >> 12);
                        if ((fresh[index >> 6] >> (index & 63) & 1) != 0)
                            range.Mark(page);
                        if (!range.IsMarked(page))
                            continue;
                        int bit = (int)((page - address) >> 12);
                        result[bit >> 6] |= 1UL << (bit & 63);
                        if (clear)
                            range.Unmark(page);
                    }
                }
                if (covered != length)
                    throw new InvalidOperationException($"0x{address:X} + 0x{length:X} is not wholly tracked: call TrackDirty first.");
            }
        });
        result.CopyTo(bitmap);
        ulong count = 0;
        foreach (ulong word in result)
            count += (ulong)BitOperations.PopCount(word);
        return count;
    }

    private void MarkDirty(ulong address, ulong length)
    {
        if (!_anyDirtyTracking)
            return;
        lock (_dirtyLock)
        {
            foreach (DirtyRange range in _dirty)
            {
                ulong first = Math.Max(range.Address, address & ~0xFFFUL), end = Math.Min(range.End, address + length);
                for (ulong page = first; page < end; page += 4096)
                    range.Mark(page);
            }
        }
    }

    /// <summary>A tracked range with the bits gathered so far.</summary>
    private sealed class DirtyRange(ulong address, ulong length)
    {
        private readonly ulong[] _bits = new ulong[((length >> 12) + 63) / 64];

        public ulong Address { get; } = address;

        public ulong End { get; } = address + length;

        public bool IsMarked(ulong page) => (Word(page) >> Bit(page) & 1) != 0;

        public void Mark(ulong page) => Word(page) |= 1UL << Bit(page);

        public void Unmark(ulong page) => Word(page) &= ~(1UL << Bit(page));

        public DirtyRange Part(ulong first, ulong end)
        {
            DirtyRange part = new(first, end - first);
            for (ulong page = first; page < end; page += 4096)
            {
                if (IsMarked(page))
                    part.Mark(page);
            }
            return part;
        }

        private ref ulong Word(ulong page) => ref _bits[(page - Address) >> 18];

        private int Bit(ulong page) => (int)(((page - Address) >> 12) & 63);
    }
}
