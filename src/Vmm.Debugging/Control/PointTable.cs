using System.Collections.Immutable;

namespace Vmm.Debugging.Control;

/// <summary>The breakpoints and watchpoints that a debugger has set.</summary>
internal sealed class PointTable
{
    /// <summary>Longest watchpoint in bytes; it takes a point for every 8 of them.</summary>
    public const int LongestWatch = 512;

    private const int MostEntries = 4096;

    private readonly Dictionary<Entry, ImmutableArray<DebugPoint>> _entries = [];

    private readonly record struct Entry(PointType Type, ulong Address, int Length);

    /// <summary>All points, for the processors.</summary>
    public ImmutableArray<DebugPoint> Points { get; private set; } = [];

    /// <summary>
    /// Adds one; one that is there already changes nothing. False: there is no room for it, or it has an impossible length.
    /// </summary>
    public bool TryAdd(PointType type, ulong address, int length, int limit)
    {
        ImmutableArray<DebugPoint> points = Pieces(type, address, length);
        if (points.IsEmpty)
            return false;
        Entry entry = new(type, address, length);
        if (_entries.ContainsKey(entry))
            return true;
        if (_entries.Count >= MostEntries || Distinct([.. _entries.Values, points]).Length > limit)
            return false;
        _entries.Add(entry, points);
        Points = Distinct(_entries.Values);
        return true;
    }

    /// <summary>Takes one away; one that is not there changes nothing.</summary>
    public void Remove(PointType type, ulong address, int length)
    {
        if (_entries.Remove(new Entry(type, address, length)))
            Points = Distinct(_entries.Values);
    }

    public void Clear()
    {
        _entries.Clear();
        Points = [];
    }

    /// <summary>The type of a breakpoint that stands at an address.</summary>
    public PointType? BreakpointAt(ulong address)
    {
        foreach (Entry entry in _entries.Keys)
        {
            if (entry.Type <= PointType.HardwareBreakpoint && entry.Address == address)
                return entry.Type;
        }
        return null;
    }

    /// <summary>The type of the watchpoint that holds an address, and which address the debugger knows it by.</summary>
    public PointType? WatchpointAt(ulong address, GuestAccess access, out ulong start)
    {
        start = address;
        PointType? found = null;
        foreach (Entry entry in _entries.Keys)
        {
            if (entry.Type <= PointType.HardwareBreakpoint || address < entry.Address || address - entry.Address >= (ulong)entry.Length)
                continue;
            if (entry.Type == PointType.WriteWatchpoint && (access & GuestAccess.Write) == 0)
                continue;
            found = entry.Type;
            start = entry.Address;
            if (entry.Type == PointType.WriteWatchpoint)
                break; // a store: the most particular
        }
        return found;
    }

    // A processor watches aligned pieces of up to 8 bytes.
    private static ImmutableArray<DebugPoint> Pieces(PointType type, ulong address, int length)
    {
        if (type <= PointType.HardwareBreakpoint)
            return [new DebugPoint(DebugPointKind.Execute, address)];
        if (length is < 1 or > LongestWatch || address + (ulong)length - 1 < address)
            return [];
        DebugPointKind kind = type == PointType.WriteWatchpoint ? DebugPointKind.Write : DebugPointKind.Access;
        ImmutableArray<DebugPoint>.Builder pieces = ImmutableArray.CreateBuilder<DebugPoint>();
        while (length > 0)
        {
            int piece = 8;
            while (piece > length || (address & (ulong)(piece - 1)) != 0)
                piece >>= 1;
            pieces.Add(new DebugPoint(kind, address, piece));
            address += (ulong)piece;
            length -= piece;
        }
        return pieces.ToImmutable();
    }

    private static ImmutableArray<DebugPoint> Distinct(IEnumerable<ImmutableArray<DebugPoint>> groups) =>
        [.. groups.SelectMany(static group => group).Distinct()];
}

/// <summary>Kinds of points, as the protocol numbers them.</summary>
internal enum PointType
{
    SoftwareBreakpoint,
    HardwareBreakpoint,
    WriteWatchpoint,
    ReadWatchpoint,
    AccessWatchpoint,
}
