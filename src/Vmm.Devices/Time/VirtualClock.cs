namespace Vmm.Devices;

/// <summary>A clock that moves only when told to: device time that is exact and repeatable.</summary>
/// <remarks>Callbacks are made on the thread that advances the clock, in order of deadline, each with the time standing at its deadline.
/// One thread may advance at a time; the other members may be called from any thread.</remarks>
public sealed class VirtualClock : IAdjustableClock, IQueuedTimerOwner
{
    private readonly Lock _gate = new();
    private readonly TimerQueue _queue = new();
    private readonly DateTimeOffset _epoch;
    private long _now;
    private bool _isCalling;
    private int _suspensions;

    /// <summary>Makes a clock that stands at 0.</summary>
    /// <param name="epoch">The calendar time at 0.</param>
    public VirtualClock(DateTimeOffset epoch) => _epoch = epoch;

    /// <inheritdoc/>
    public long Nanoseconds => Volatile.Read(ref _now);

    /// <inheritdoc/>
    public DateTimeOffset UtcNow => _epoch.AddTicks(Nanoseconds / 100);

    /// <inheritdoc/>
    public bool HasArmedTimers
    {
        get
        {
            lock (_gate)
                return _queue.ArmedCount > 0 || _isCalling;
        }
    }

    /// <summary>The earliest deadline of an armed timer, or null when none is armed.</summary>
    public long? NextDeadline
    {
        get
        {
            lock (_gate)
                return _queue.NextDeadline;
        }
    }

    /// <inheritdoc/>
    public IClockTimer CreateTimer(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new QueuedTimer(this, callback);
    }

    /// <summary>Moves the time forward, making every callback that falls due.</summary>
    /// <param name="nanoseconds">How far; not negative.</param>
    public void Advance(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        AdvanceTo(checked(Nanoseconds + nanoseconds));
    }

    /// <summary>Moves the time forward to a moment, making every callback that falls due; does nothing if it has passed.</summary>
    /// <param name="time">The new value of <see cref="Nanoseconds"/>.</param>
    /// <exception cref="InvalidOperationException">It is suspended.</exception>
    public void AdvanceTo(long time)
    {
        if (Volatile.Read(ref _suspensions) != 0)
            throw new InvalidOperationException("The clock is suspended.");
        while (true)
        {
            QueuedTimer? timer;
            lock (_gate)
            {
                timer = _queue.TakeDue(time);
                _isCalling = timer is not null;
                long moment = timer?.Deadline ?? time;
                if (moment > _now)
                    Volatile.Write(ref _now, moment);
            }
            if (timer is null)
                return;
            timer.Callback();
        }
    }

    /// <inheritdoc/>
    /// <remarks>Advancing a suspended clock is an error.</remarks>
    public void Suspend() => Interlocked.Increment(ref _suspensions);

    /// <inheritdoc/>
    public void Resume()
    {
        if (Interlocked.Decrement(ref _suspensions) >= 0)
            return;
        Interlocked.Increment(ref _suspensions);
        throw new InvalidOperationException("The clock is not suspended.");
    }

    /// <inheritdoc/>
    public void SetTime(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        if (Volatile.Read(ref _suspensions) == 0)
            throw new InvalidOperationException("The clock is not suspended.");
        lock (_gate)
            Volatile.Write(ref _now, nanoseconds);
    }

    void IQueuedTimerOwner.Arm(QueuedTimer timer, long deadline)
    {
        lock (_gate)
            _queue.Arm(timer, deadline);
    }

    void IQueuedTimerOwner.Disarm(QueuedTimer timer)
    {
        lock (_gate)
            _queue.Disarm(timer);
    }
}
