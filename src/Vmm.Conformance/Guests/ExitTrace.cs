namespace Vmm.Conformance;

/// <summary>The last exits of one processor.</summary>
public sealed class ExitTrace
{
    private const int Capacity = 16;
    private readonly VpExit[] _exits = new VpExit[Capacity];
    private long _count;

    /// <summary>Exits seen so far.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Notes an exit.</summary>
    public void Add(in VpExit exit)
    {
        lock (_exits)
            _exits[_count++ % Capacity] = exit;
    }

    /// <summary>The last exits, at most 16, oldest first, one line each with its number.</summary>
    public IReadOnlyList<string> Describe()
    {
        lock (_exits)
        {
            List<string> lines = [];
            for (long i = Math.Max(0, _count - Capacity); i < _count; i++)
            {
                VpExit exit = _exits[i % Capacity];
                lines.Add($"#{i + 1} {exit}{(exit.Rip == 0 ? "" : $" at 0x{exit.Rip:X}")}");
            }
            return lines;
        }
    }
}
