namespace Vmm.Devices;

/// <summary>The counting part of the real-time clock: calendar time as a function of the machine's nanoseconds. The clock locks.</summary>
internal sealed class RealTimeCounter
{
    private const long Second = 1_000_000_000;
    private const long Day = 86_400;

    // UIP rises 244 microseconds before the update cycle, which takes 1984 microseconds with a 32.768 kHz crystal.
    private const long UpdateLength = 2_228_000;

    private static readonly long LastSecond = DateTime.MaxValue.Ticks / TimeSpan.TicksPerSecond;

    // The second shown at _start, which is the moment of an update.
    private long _seconds;
    private long _start;
    private bool _running = true;
    private long _stoppedElapsed;

    public RealTimeCounter(DateTime time, long now)
    {
        _seconds = time.Ticks / TimeSpan.TicksPerSecond;
        _start = now - time.Ticks % TimeSpan.TicksPerSecond * 100;
    }

    /// <summary>What is added to the calendar's day of the week (0 is Sunday) for the one shown: 0-6.</summary>
    public int WeekdayOffset { get; private set; }

    public DateTime At(long now) => new(SecondsAt(now) % (LastSecond + 1) * TimeSpan.TicksPerSecond, DateTimeKind.Utc);

    /// <summary>Sets the time and keeps the phase of the seconds.</summary>
    public void Set(DateTime time, int weekday, long now)
    {
        long elapsedSeconds = Elapsed(now) / Second;
        _seconds = time.Ticks / TimeSpan.TicksPerSecond - elapsedSeconds;
        WeekdayOffset = (weekday - (int)time.DayOfWeek + 7) % 7;
    }

    /// <summary>Holds or releases the divider chain; the first update comes half a second after the release.</summary>
    public void SetRunning(bool running, long now)
    {
        if (running == _running)
            return;
        if (!running)
        {
            _stoppedElapsed = Elapsed(now);
        }
        else
        {
            _seconds += _stoppedElapsed / Second;
            _start = now - Second / 2;
        }
        _running = running;
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        state.Value("seconds", ref _seconds, -4 * LastSecond, 4 * LastSecond);
        state.Moment("start", ref _start);
        state.Value("running", ref _running);
        state.Value("stopped-elapsed", ref _stoppedElapsed, long.MinValue / 4, long.MaxValue / 4);
        int offset = WeekdayOffset;
        state.Value("weekday-offset", ref offset, 0, 6);
        WeekdayOffset = offset;
        if (_start is long.MinValue or long.MaxValue)
            throw state.Refuse("start", "is no moment");
    }

    public bool UpdatesSoon(long now) => _running && Elapsed(now) % Second >= Second - UpdateLength;

    /// <summary>The moment of the first update after a given one; far in the future while the divider is held.</summary>
    public long NextUpdate(long after) => _running ? _start + (FloorDivide(after - _start, Second) + 1) * Second : long.MaxValue;

    /// <summary>The first edge after a given moment of the periodic output at a rate code of 1-15.</summary>
    public long NextPeriodic(long after, int rate)
    {
        if (!_running)
            return long.MaxValue;
        // Codes 1 and 2 repeat 8 and 9 with a 32.768 kHz crystal (data sheet, table 5).
        long period = 1L << ((rate <= 2 ? rate + 7 : rate) - 1);
        long crystal = (long)((Int128)(after - _start) * 32768 / Second);
        long next = (FloorDivide(crystal, period) + 1) * period;
        long moment = _start + (long)(((Int128)next * Second + 32767) / 32768);
        return moment > after ? moment : _start + (long)(((Int128)(next + period) * Second + 32767) / 32768);
    }

    /// <summary>The first update after a given moment at which the alarm matches, or far in the future.</summary>
    public long NextAlarm(long after, int second, int minute, int hour)
    {
        if (!_running || second == RealTimeFormat.None || minute == RealTimeFormat.None || hour == RealTimeFormat.None)
            return long.MaxValue;
        long update = NextUpdate(after);
        long first = SecondsAt(update) % Day;
        long best = long.MaxValue;
        // The earliest match on this day or the next: fields from the largest, each free field as early as it can be.
        for (int hourValue = 0; hourValue < 24; hourValue++)
        {
            if (hour != RealTimeFormat.Any && hour != hourValue)
                continue;
            best = Math.Min(best, WaitWithinHour(first, hourValue, minute, second));
        }
        return update + best * Second;
    }

    // Seconds from `first` to the earliest match in an hour of the day, today or tomorrow.
    private static long WaitWithinHour(long first, int hour, int minute, int second)
    {
        long start = hour * 3600L;
        long earliest = MatchFrom(0, minute, second);
        long wait = (start + earliest - first + Day) % Day;
        if (first >= start && first < start + 3600 && MatchFrom(first - start, minute, second) is >= 0 and long later)
            wait = start + later - first;
        return wait;
    }

    // The first second of an hour, not before `from`, that matches, or -1.
    private static long MatchFrom(long from, int minute, int second)
    {
        for (long candidate = from / 60; candidate < 60; candidate++)
        {
            if (minute != RealTimeFormat.Any && minute != candidate)
                continue;
            long earliest = candidate == from / 60 ? from % 60 : 0;
            if (second == RealTimeFormat.Any)
                return candidate * 60 + earliest;
            if (second >= earliest)
                return candidate * 60 + second;
        }
        return -1;
    }

    private static long FloorDivide(long value, long divisor) => value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);

    private long Elapsed(long now) => _running ? now - _start : _stoppedElapsed;

    private long SecondsAt(long now)
    {
        long seconds = (_seconds + Elapsed(now) / Second) % (LastSecond + 1);
        return seconds < 0 ? seconds + LastSecond + 1 : seconds;
    }
}
