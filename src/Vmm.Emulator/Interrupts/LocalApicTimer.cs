namespace Vmm.Emulator.Interrupts;

/// <summary>
/// The timer of a local APIC: one-shot, periodic and TSC-deadline (SDM Vol. 3A 11.5.4). It counts nothing by itself: its count is worked
/// out from the clock when it is read, and <see cref="Poll"/> says when it has run out.
/// </summary>
internal sealed class LocalApicTimer
{
    /// <summary>No deadline.</summary>
    public const ulong Never = ulong.MaxValue;

    // A guest can ask for a period of a nanosecond. The count shows it; the interrupts come at most so often.
    private const ulong MostInterruptsPerSecond = 50_000;

    private readonly ILocalApicHost _host;
    private readonly ulong _clockFrequency;
    private readonly ulong _timerFrequency;
    private readonly ulong _shortestPeriod;
    private LocalApicTimerMode _mode;
    private uint _initialCount;
    private uint _divide;
    private uint _remainder;
    private bool _running;
    private ulong _start;
    private ulong _deadline = Never;
    private ulong _tscDeadline;

    public LocalApicTimer(ILocalApicHost host, ulong clockFrequency, ulong timerFrequency)
    {
        ArgumentOutOfRangeException.ThrowIfZero(clockFrequency);
        ArgumentOutOfRangeException.ThrowIfZero(timerFrequency);
        _host = host;
        _clockFrequency = clockFrequency;
        _timerFrequency = timerFrequency;
        _shortestPeriod = clockFrequency / MostInterruptsPerSecond;
    }

    /// <summary>The clock's value at which the timer runs out next, or <see cref="Never"/>.</summary>
    public ulong NextDeadline
    {
        get
        {
            if (_mode != LocalApicTimerMode.TscDeadline)
                return _deadline;
            if (_tscDeadline == 0)
                return Never;

            // The guest may have moved its counter since it wrote the deadline, so the distance is worked out anew.
            ulong counter = _host.TimeStampCounter;
            ulong now = _host.Ticks;
            ulong distance = _tscDeadline > counter ? _tscDeadline - counter : 0;
            return distance >= Never - now ? Never - 1 : now + distance;
        }
    }

    /// <summary>The mode; a change to or from TSC-deadline disarms the timer.</summary>
    public LocalApicTimerMode Mode
    {
        get => _mode;
        set
        {
            if (value == _mode)
                return;
            if (value == LocalApicTimerMode.TscDeadline || _mode == LocalApicTimerMode.TscDeadline)
                Disarm();
            uint count = CurrentCount;
            _mode = value;
            if (_running)
                Start(count);
        }
    }

    /// <summary>
    /// The initial count; a write starts the count from it, and zero stops the timer. Without effect in TSC-deadline mode.
    /// </summary>
    public uint InitialCount
    {
        get => _initialCount;
        set
        {
            if (_mode == LocalApicTimerMode.TscDeadline)
                return;
            _initialCount = value;
            if (value == 0)
                Disarm();
            else
                Start(value);
        }
    }

    /// <summary>The count now; 0 when the timer is not running.</summary>
    public uint CurrentCount => _running ? CountAt(_host.Ticks) : 0;

    /// <summary>The divide configuration register: bits 3, 1 and 0. The count goes on from where it is.</summary>
    public uint DivideConfiguration
    {
        get => _divide;
        set
        {
            uint divide = value & 0xB;
            if (divide == _divide)
                return;
            uint count = CurrentCount;
            _divide = divide;
            if (_running)
                Start(count);
        }
    }

    /// <summary>IA32_TSC_DEADLINE: 0 when disarmed. A write outside of TSC-deadline mode has no effect.</summary>
    public ulong TscDeadline
    {
        get => _tscDeadline;
        set
        {
            if (_mode == LocalApicTimerMode.TscDeadline)
                _tscDeadline = value;
        }
    }

    /// <summary>Whether the timer ran out since this was last asked; a periodic one that did so several times says so once.</summary>
    public bool Poll()
    {
        if (_mode == LocalApicTimerMode.TscDeadline)
        {
            if (_tscDeadline == 0 || _host.TimeStampCounter < _tscDeadline)
                return false;
            _tscDeadline = 0;
            return true;
        }

        if (!_running)
            return false;
        ulong now = _host.Ticks;
        if (now < _deadline)
            return false;
        if (_mode == LocalApicTimerMode.OneShot)
        {
            Disarm();
            return true;
        }

        // Deadlines are worked out from the one start, so that rounding never adds up.
        UInt128 steps = StepsBetween(_start, now);
        UInt128 passed = steps < _remainder ? 0 : ((steps - _remainder) / _initialCount) + 1;
        _deadline = Math.Max(DeadlineOf(_remainder + (passed * _initialCount)), now + _shortestPeriod);
        return true;
    }

    /// <summary>Restores a count that was saved: the initial count with what was left of it.</summary>
    public void Restore(uint initialCount, uint currentCount)
    {
        Disarm();
        _initialCount = initialCount;
        if (currentCount != 0 && _mode != LocalApicTimerMode.TscDeadline)
            Start(Math.Min(currentCount, initialCount));
    }

    /// <summary>Power-on state.</summary>
    public void Reset()
    {
        Disarm();
        _mode = LocalApicTimerMode.OneShot;
        _initialCount = 0;
        _divide = 0;
    }

    private int DivideShift => (int)(((_divide & 3) | ((_divide >> 1) & 4)) + 1) & 7;

    private void Disarm()
    {
        _running = false;
        _deadline = Never;
        _tscDeadline = 0;
    }

    /// <summary>Counts from a value down to zero, beginning now.</summary>
    private void Start(uint count)
    {
        _running = true;
        _remainder = count;
        _start = _host.Ticks;
        _deadline = DeadlineOf(count);
    }

    private uint CountAt(ulong now)
    {
        UInt128 steps = StepsBetween(_start, now);
        if (steps < _remainder)
            return _remainder - (uint)steps;
        if (_mode == LocalApicTimerMode.OneShot)
            return 0;
        return _initialCount - (uint)((steps - _remainder) % _initialCount);
    }

    private ulong DeadlineOf(UInt128 steps)
    {
        ulong distance = ClockOf(steps);
        return distance >= Never - _start ? Never - 1 : _start + distance;
    }

    private UInt128 StepsBetween(ulong start, ulong now) =>
        ((UInt128)(now - start) * _timerFrequency / _clockFrequency) >> DivideShift;

    private ulong ClockOf(UInt128 steps)
    {
        UInt128 clock = (((steps << DivideShift) * _clockFrequency) + _timerFrequency - 1) / _timerFrequency;
        return clock > Never ? Never : (ulong)clock;
    }
}
