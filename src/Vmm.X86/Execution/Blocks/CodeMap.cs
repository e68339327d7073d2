using System.Collections.Concurrent;

namespace Vmm.X86.Execution;

/// <summary>
/// Which guest-physical pages hold decoded code, over all processors of a partition. Stores to such a page go the slow way and end here.
/// </summary>
/// <remarks>Thread-safe. Each processor keeps decoded blocks of its own; the map carries invalidations from one to the others.</remarks>
public sealed class CodeMap
{
    private const int PagesPerChunk = 1 << 15;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<ulong, ulong[]> _chunks = new();
    private readonly Dictionary<ulong, ulong> _granules = [];
    private readonly List<ProcessorCore> _processors = [];

    /// <summary>Whether a page holds decoded code of any processor.</summary>
    /// <param name="address">Any guest-physical address in the page.</param>
    public bool HasCode(ulong address)
    {
        ulong page = address >> 12;
        return _chunks.TryGetValue(page / PagesPerChunk, out ulong[]? chunk)
            && (Volatile.Read(ref chunk[(page % PagesPerChunk) >> 6]) & (1UL << (int)(page & 63))) != 0;
    }

    /// <summary>
    /// Bytes of guest memory changed by someone other than a processor of this partition (a device, the host): code decoded from them is dropped.
    /// A processor that is running does so at its next block boundary.
    /// </summary>
    /// <param name="address">Guest-physical address of the first byte.</param>
    /// <param name="length">Number of bytes.</param>
    public void Invalidate(ulong address, ulong length) => Invalidate(address, length, null);

    /// <summary>Drops everything, for a change of what is mapped where.</summary>
    public void InvalidateAll()
    {
        lock (_lock)
        {
            foreach (ulong page in _granules.Keys)
                Mark(page, false);
            _granules.Clear();
            foreach (ProcessorCore processor in _processors)
                processor.QueueInvalidation(ulong.MaxValue);
        }
    }

    internal void Register(ProcessorCore processor)
    {
        lock (_lock)
            _processors.Add(processor);
    }

    internal void Unregister(ProcessorCore processor)
    {
        lock (_lock)
            _processors.Remove(processor);
    }

    /// <summary>Records that a processor is about to decode from some 64-byte granules of a page.</summary>
    /// <returns>True when the page had no code before, so that write entries for it must go.</returns>
    internal bool Add(ulong page, ulong granules)
    {
        lock (_lock)
        {
            if (_granules.TryGetValue(page, out ulong old))
            {
                _granules[page] = old | granules;
                return false;
            }
            _granules[page] = granules;
            Mark(page, true);
            foreach (ProcessorCore processor in _processors)
                processor.QueueWriteFlush();
            return true;
        }
    }

    /// <summary>Queues invalidations for every processor; the one that stores, <paramref name="origin"/>, is told whether it must act at once.</summary>
    internal bool Invalidate(ulong address, ulong length, ProcessorCore? origin)
    {
        if (length == 0)
            return false;
        ulong last = address + length - 1;
        if (last < address)
            last = ulong.MaxValue;
        bool hit = false;
        if ((last >> 12) - (address >> 12) > 4096)
        {
            InvalidateAll();
            return true;
        }
        for (ulong page = address >> 12; page <= last >> 12; page++)
        {
            if (!HasCode(page << 12))
                continue;
            int from = page == address >> 12 ? (int)((address & 0xFFF) >> 6) : 0;
            int to = page == last >> 12 ? (int)((last & 0xFFF) >> 6) : 63;
            ulong mask = (ulong.MaxValue << from) & (ulong.MaxValue >> (63 - to));
            lock (_lock)
            {
                if (!_granules.TryGetValue(page, out ulong granules) || (granules & mask) == 0)
                    continue;
                _granules.Remove(page);
                Mark(page, false);
                foreach (ProcessorCore processor in _processors)
                    processor.QueueInvalidation(page);
                hit = true;
            }
        }
        return hit && origin != null;
    }

    private void Mark(ulong page, bool value)
    {
        ulong[] chunk = _chunks.GetOrAdd(page / PagesPerChunk, static _ => new ulong[PagesPerChunk / 64]);
        ref ulong word = ref chunk[(page % PagesPerChunk) >> 6];
        ulong bit = 1UL << (int)(page & 63);
        Volatile.Write(ref word, value ? word | bit : word & ~bit);
    }
}
