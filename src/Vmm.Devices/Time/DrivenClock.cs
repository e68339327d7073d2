namespace Vmm.Devices;

/// <summary>
/// A clock on a time that somebody else counts, who makes the callbacks that fall due: the clock of a deterministic machine.
/// </summary>
/// <remarks>For one thread, that of whoever drives it; reading the time is safe where the source is.</remarks>
public sealed class DrivenClock : IAdjustableClock, IQueuedTimerOwner
{
    private readonly TimerQueue _queue = new();
    private readonly Func<long> _source;
    private readonly DateTimeOffset _epoch;
    private long _ahead;
    private int _suspensions;
    private bool _isCalling;

    /// <summary>Makes a clock.</summary>
    /// <param name="source">Counts nanoseconds; never decreases.</param>
    /// <param name="epoch">The calendar time at 0.</param>
    public DrivenClock(Func<long> source, DateTimeOffset epoch)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        _epoch = epoch;
    }

    /// <summary>Raised when the earliest deadline may have moved forward, by <see cref="IClockTimer.Arm"/>.</summary>
    public event Action? Armed;

    /// <inheritdoc/>
    public long Nanoseconds => _source() + _ahead;

    /// <inheritdoc/>
    public DateTimeOffset UtcNow => _epoch.AddTicks(Nanoseconds / 100);

    /// <inheritdoc/>
    public bool HasArmedTimers => _queue.ArmedCount > 0 || _isCalling;

    /// <summary>The earliest deadline of an armed timer in the source's nanoseconds, or null when none is armed.</summary>
    public long? NextDeadline => _queue.NextDeadline is { } deadline ? Math.Max(deadline - _ahead, 0) : null;

    /// <inheritdoc/>
    public IClockTimer CreateTimer(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return new QueuedTimer(this, callback);
    }

    /// <summary>Makes every callback that has fallen due, in order of deadline.</summary>
    public void CallDue()
    {
        while (_queue.TakeDue(Nanoseconds) is { } timer)
        {
            _isCalling = true;
            timer.Callback();
            _isCalling = false;
        }
    }

    /// <inheritdoc/>
    public void Suspend() => _suspensions++;

    /// <inheritdoc/>
    public void Resume()
    {
        if (_suspensions == 0)
            throw new InvalidOperationException("The clock is not suspended.");
        _suspensions--;
    }

    /// <inheritdoc/>
    public void SetTime(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        if (_suspensions == 0)
            throw new InvalidOperationException("The clock is not suspended.");
        _ahead = nanoseconds - _source();
    }

    void IQueuedTimerOwner.Arm(QueuedTimer timer, long deadline)
    {
        _queue.Arm(timer, deadline);
        Armed?.Invoke();
    }

    void IQueuedTimerOwner.Disarm(QueuedTimer timer) => _queue.Disarm(timer);
}
