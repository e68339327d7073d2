using System.Diagnostics;

namespace Vmm.Hostile.Guests;

/// <summary>
/// Runs hostile guests one after another under a watchdog. Guest n has the seed first + n, so that one guest is repeated with its own
/// seed and a count of 1.
/// </summary>
public sealed class HostileRun(int first, int count)
{
    private const int MostFailures = 10;

    private readonly List<string> _failures = [];
    private string _current = string.Empty;
    private long _started;
    private long _longest;

    /// <summary>How long one guest may take.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Called on the thread of the guests before each one, with its seed.</summary>
    public Action<int>? Starting { get; init; }

    /// <summary>Guests that have ended.</summary>
    public int Ended { get; private set; }

    /// <summary>Exits of all guests, by kind.</summary>
    public ulong[] Exits { get; } = new ulong[(int)ExitKind.Failed + 1];

    /// <summary>Instructions of all guests.</summary>
    public ulong Instructions { get; private set; }

    /// <summary>The longest that one guest took.</summary>
    public TimeSpan Longest => TimeSpan.FromTicks(_longest);

    /// <summary>What broke, each with the guest's description. The run ends after ten.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>
    /// Growth of the process's resident memory in bytes from the hundredth guest, or the middle one of fewer, to the last.
    /// </summary>
    public long Growth { get; private set; }

    /// <summary>Runs them all. A guest that outlasts <see cref="Patience"/> ends the run: its thread cannot be had back.</summary>
    public void Run()
    {
        _started = Stopwatch.GetTimestamp();
        Thread worker = new(RunAll) { IsBackground = true, Name = "hostile guests" };
        worker.Start();
        while (!worker.Join(200))
        {
            TimeSpan since = Stopwatch.GetElapsedTime(Volatile.Read(ref _started));
            if (since > Patience)
            {
                _failures.Add($"{_current}: has been running for {since.TotalSeconds:F1} s");
                return;
            }
        }
    }

    private void RunAll()
    {
        long before = 0;
        for (int n = 0; n < count && _failures.Count < MostFailures; n++)
        {
            if (n == Math.Min(count / 2, 100))
                before = ResidentMemory.Measure();
            try
            {
                RunOne(first + n);
            }
            catch (Exception e)
            {
                _failures.Add($"{_current}: {e}");
            }
            Ended++;
        }
        Growth = ResidentMemory.Measure() - before;
    }

    private void RunOne(int seed)
    {
        _current = $"seed {seed}";
        Starting?.Invoke(seed);
        long started = Stopwatch.GetTimestamp();
        Volatile.Write(ref _started, started);
        using (HostileGuest guest = new(seed))
        {
            _current = guest.Description;
            guest.Run();
            Instructions += guest.Retired;
            for (int kind = 0; kind < Exits.Length; kind++)
                Exits[kind] += guest.Exits[kind];
        }
        _longest = Math.Max(_longest, Stopwatch.GetElapsedTime(started).Ticks);
    }
}
