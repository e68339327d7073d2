using System.Diagnostics;

namespace Vmm.Devices;

/// <summary>The host's time: a monotonic counter, and one background thread that makes the timers' callbacks.</summary>
/// <remarks>Callbacks come up to about a millisecond late, or more on a busy host; devices that tick keep their phase by computing the
/// next deadline from the previous one. An exception from a callback is kept in <see cref="Fault"/> and the thread goes on.</remarks>
public sealed class SystemClock : IAdjustableClock, IQueuedTimerOwner, IDisposable
{
    private readonly object _gate = new();
    private readonly TimerQueue _queue = new();
    private readonly TimeProvider _time;
    private long _start; // the counter's value at time 0; in a suspension, the clock stands at _held instead
    private long _held;
    private int _suspensions;
    private Thread? _thread;
    private bool _disposed;
    private bool _isCalling;

    /// <summary>Makes a clock that starts at 0 now.</summary>
    /// <param name="time">Where the counter and the calendar time come from; null for the system's.</param>
    public SystemClock(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _start = _time.GetTimestamp();
    }

    /// <inheritdoc/>
    public long Nanoseconds => Volatile.Read(ref _suspensions) == 0
        ? (long)((Int128)(_time.GetTimestamp() - Volatile.Read(ref _start)) * 1_000_000_000 / _time.TimestampFrequency)
        : Volatile.Read(ref _held);

    /// <inheritdoc/>
    public DateTimeOffset UtcNow => _time.GetUtcNow();

    /// <summary>The first exception that came out of a callback, or null.</summary>
    public Exception? Fault { get; private set; }

    /// <inheritdoc/>
    public bool HasArmedTimers
    {
        get
        {
            lock (_gate)
                return _queue.ArmedCount > 0 || _isCalling;
        }
    }

    /// <inheritdoc/>
    public IClockTimer CreateTimer(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new QueuedTimer(this, callback);
    }

    /// <inheritdoc/>
    public void Suspend()
    {
        lock (_gate)
        {
            if (_suspensions == 0)
                Volatile.Write(ref _held, Nanoseconds);
            Volatile.Write(ref _suspensions, _suspensions + 1);
            while (_isCalling && !_disposed)
                Monitor.Wait(_gate);
        }
    }

    /// <inheritdoc/>
    public void Resume()
    {
        lock (_gate)
        {
            if (_suspensions == 0)
                throw new InvalidOperationException("The clock is not suspended.");
            if (_suspensions == 1)
            {
                // Rounded up, so that the time never steps back.
                long elapsed = (long)((((Int128)_held * _time.TimestampFrequency) + 999_999_999) / 1_000_000_000);
                Volatile.Write(ref _start, _time.GetTimestamp() - elapsed);
            }
            Volatile.Write(ref _suspensions, _suspensions - 1);
            Monitor.PulseAll(_gate);
        }
    }

    /// <inheritdoc/>
    public void SetTime(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        lock (_gate)
        {
            if (_suspensions == 0)
                throw new InvalidOperationException("The clock is not suspended.");
            Volatile.Write(ref _held, nanoseconds);
        }
    }

    /// <summary>Stops the thread and waits for a callback being made (unless called from one); arming has no effect afterwards.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_gate)
        {
            _disposed = true;
            thread = _thread;
            _thread = null;
            Monitor.PulseAll(_gate);
        }
        if (thread is not null && thread != Thread.CurrentThread)
            thread.Join();
    }

    void IQueuedTimerOwner.Arm(QueuedTimer timer, long deadline)
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _queue.Arm(timer, deadline);
            if (_thread is null)
            {
                _thread = new Thread(Work) { IsBackground = true, Name = "vmm clock", Priority = ThreadPriority.AboveNormal };
                _thread.Start();
            }
            else if (_queue.NextDeadline == deadline)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    void IQueuedTimerOwner.Disarm(QueuedTimer timer)
    {
        lock (_gate)
            _queue.Disarm(timer);
    }

    private void Work()
    {
        while (TakeNext() is { } timer)
        {
            try
            {
                timer.Callback();
            }
#pragma warning disable CA1031 // a fault in one device's callback must not stop the time of all others
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Fault ??= exception;
                Debug.Fail(exception.ToString());
            }
        }
    }

    private QueuedTimer? TakeNext()
    {
        lock (_gate)
        {
            _isCalling = false;
            while (!_disposed)
            {
                if (_suspensions != 0)
                {
                    Monitor.PulseAll(_gate);
                    Monitor.Wait(_gate);
                    continue;
                }
                long now = Nanoseconds;
                if (_queue.TakeDue(now) is { } timer)
                {
                    _isCalling = true;
                    return timer;
                }
                if (_queue.NextDeadline is { } deadline)
                {
                    // Rounded up: waking early would only spin.
                    long milliseconds = Math.Min((deadline - now + 999_999) / 1_000_000, 60_000);
                    Monitor.Wait(_gate, (int)milliseconds);
                }
                else
                {
                    Monitor.Wait(_gate);
                }
            }
            return null;
        }
    }
}
