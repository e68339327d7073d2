using System.Collections.Concurrent;
using System.Runtime.InteropServices;

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
    private readonly Dictionary<ulong, int> _decoding = [];
    private volatile ProcessorCore[] _processors = [];

    /// <summary>For instructions that every other processor must stand still for.</summary>
    internal ExclusiveSection Exclusive { get; } = new();

    /// <summary>The processors that share the map.</summary>
    internal ProcessorCore[] Processors => _processors;

    /// <summary>There is more than one.</summary>
    internal bool HasSeveralProcessors => _processors.Length > 1;

    /// <summary>Whether a page holds decoded code of any processor.</summary>
    /// <param name="address">Any guest-physical address in the page.</param>
    public bool HasCode(ulong address)
    {
        ulong page = address >> 12;
        return _chunks.TryGetValue(page / PagesPerChunk, out ulong[]? chunk)
            && (Volatile.Read(ref chunk[(page % PagesPerChunk) >> 6]) & (1UL << (int)(page & 63))) != 0;
    }

    /// <summary>
    /// Bytes of guest memory changed by someone other than a processor of this partition (a device, the host): code decoded from them is
    /// dropped.
    /// A processor that is running does so at its next block boundary.
    /// </summary>
    /// <param name="address">Guest-physical address of the first byte.</param>
    /// <param name="length">Number of bytes.</param>
    public void Invalidate(ulong address, ulong length)
    {
        Interlocked.MemoryBarrier(); // who begins to decode sees the bytes, or is seen here
        Invalidate(address, length, null);
    }

    /// <summary>Drops everything, for a change of what is mapped where.</summary>
    public void InvalidateAll()
    {
        lock (_lock)
        {
            foreach (ulong page in _granules.Keys)
            {
                if (!_decoding.ContainsKey(page))
                    Mark(page, false);
            }
            _granules.Clear();
            foreach (ProcessorCore processor in _processors)
                processor.QueueInvalidation(ulong.MaxValue);
        }
    }

    internal void Register(ProcessorCore processor)
    {
        lock (_lock)
            _processors = [.. _processors, processor];
    }

    internal void Unregister(ProcessorCore processor)
    {
        lock (_lock)
            _processors = [.. _processors.Where(p => p != processor)];
    }

    /// <summary>
    /// A processor is about to decode from a page: from the return on, every store to it is reported, and until <see cref="EndDecoding"/>
    /// every
    /// one counts as a hit. Other processors have given up their fast way to write it, or do so before they enter guest code again.
    /// </summary>
    internal void BeginDecoding(ulong page, ProcessorCore origin)
    {
        lock (_lock)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_decoding, page, out _)++;
            if (HasCode(page << 12))
                return;
            Mark(page, true);
            foreach (ProcessorCore processor in _processors)
                processor.QueueWriteFlush();
            if (_processors.Length == 1)
                return;
        }
        foreach (ProcessorCore processor in _processors)
        {
            if (processor != origin)
                processor.AwaitWriteFlush();
        }
    }

    /// <summary>Ends <see cref="BeginDecoding"/>: these 64-byte granules of the page hold decoded code from now on.</summary>
    internal void EndDecoding(ulong page, ulong granules)
    {
        lock (_lock)
        {
            ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_decoding, page, out _);
            if (--count == 0)
                _decoding.Remove(page);
            CollectionsMarshal.GetValueRefOrAddDefault(_granules, page, out _) |= granules;
            if (!HasCode(page << 12))
                Mark(page, true); // everything was invalidated meanwhile; the queue will say so
        }
    }

    /// <summary>
    /// Queues invalidations for every processor; the one that stores, <paramref name="origin"/>, is told whether it must act at once.
    /// </summary>
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
                _granules.TryGetValue(page, out ulong granules);
                bool decoding = _decoding.ContainsKey(page);
                if ((granules & mask) == 0 && !decoding)
                    continue;
                _granules.Remove(page);
                if (!decoding)
                    Mark(page, false);
                foreach (ProcessorCore processor in _processors)
                {
#if VMM_MUTANTS
                    if (Broken(Mutant.ForeignCodeKept) && origin != null && processor != origin)
                        continue;
#endif
                    processor.QueueInvalidation(page);
                }
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
