using System.Diagnostics;

namespace Vmm.Emulator.Time;

/// <summary>A partition's time: a counter at the TSC frequency that starts at zero and can be stopped.</summary>
/// <remarks>May be used from any thread.</remarks>
internal sealed class PartitionClock
{
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly Lock _gate = new();
    private readonly double _ticksPerStamp;
    private readonly VirtualTime? _virtualTime;
    private long _origin = Stopwatch.GetTimestamp();
    private long _suspendedAt;
    private int _suspensions;

    public PartitionClock(ulong frequency, VirtualTime? virtualTime)
    {
        _virtualTime = virtualTime;
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
            if (_virtualTime is not null)
                return ToTicks(_virtualTime.Nanoseconds);
            long stamp = Volatile.Read(ref _suspensions) != 0 ? Volatile.Read(ref _suspendedAt) : Stopwatch.GetTimestamp();
            long elapsed = stamp - Volatile.Read(ref _origin);
            return Frequency == (ulong)Stopwatch.Frequency ? (ulong)elapsed : (ulong)(elapsed * _ticksPerStamp);
        }
    }

    /// <summary>The first nanosecond at which <see cref="Now"/> has reached a value.</summary>
    public ulong ToNanoseconds(ulong ticks) => Frequency == NanosecondsPerSecond
        ? ticks
        : (ulong)UInt128.Min((((UInt128)ticks * NanosecondsPerSecond) + Frequency - 1) / Frequency, ulong.MaxValue - 1);

    /// <summary>How long until <see cref="Now"/> reaches a value; zero when it has.</summary>
    public TimeSpan Until(ulong ticks)
    {
        ulong now = Now;
        return ticks <= now ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min((ticks - now) / (double)Frequency, 3600));
    }

    private ulong ToTicks(ulong nanoseconds) =>
        Frequency == NanosecondsPerSecond ? nanoseconds : (ulong)((UInt128)nanoseconds * Frequency / NanosecondsPerSecond);

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
