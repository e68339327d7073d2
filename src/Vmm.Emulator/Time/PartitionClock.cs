using System.Diagnostics;

namespace Vmm.Emulator.Time;

/// <summary>A partition's time: a counter at the TSC frequency that starts at zero and can be stopped.</summary>
/// <remarks>May be used from any thread.</remarks>
internal sealed class PartitionClock
{
    private readonly Lock _gate = new();
    private readonly double _ticksPerStamp;
    private long _origin = Stopwatch.GetTimestamp();
    private long _suspendedAt;
    private int _suspensions;

    public PartitionClock(ulong frequency)
    {
        Frequency = frequency;
        _ticksPerStamp = (double)frequency / Stopwatch.Frequency;
    }

    /// <summary>Ticks a second.</summary>
    public ulong Frequency { get; }

    /// <summary>Time stands still.</summary>
    public bool IsSuspended => Volatile.Read(ref _suspensions) != 0;

    /// <summary>Ticks since the partition was made, less the time it was suspended.</summary>
    public ulong Now
    {
        get
        {
            long stamp = Volatile.Read(ref _suspensions) != 0 ? Volatile.Read(ref _suspendedAt) : Stopwatch.GetTimestamp();
            long elapsed = stamp - Volatile.Read(ref _origin);
            return Frequency == (ulong)Stopwatch.Frequency ? (ulong)elapsed : (ulong)(elapsed * _ticksPerStamp);
        }
    }

    /// <summary>How long until <see cref="Now"/> reaches a value; zero when it has.</summary>
    public TimeSpan Until(ulong ticks)
    {
        ulong now = Now;
        return ticks <= now ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min((ticks - now) / (double)Frequency, 3600));
    }

    public void Suspend()
    {
        lock (_gate)
        {
            if (_suspensions == 0)
                Volatile.Write(ref _suspendedAt, Stopwatch.GetTimestamp());
            Volatile.Write(ref _suspensions, _suspensions + 1);
        }
    }

    public void Resume()
    {
        lock (_gate)
        {
            if (_suspensions == 0)
                throw new InvalidOperationException("The partition's time is not suspended.");
            if (_suspensions == 1)
                Volatile.Write(ref _origin, _origin + (Stopwatch.GetTimestamp() - _suspendedAt));
            Volatile.Write(ref _suspensions, _suspensions - 1);
        }
    }
}
