namespace Vmm.Devices;

/// <summary>
/// One counter of an 8254, in ticks of its own 1.193182 MHz clock. The timer that owns it locks and says what time it is.
/// </summary>
/// <remarks>
/// Nothing is stepped: the count and the output at any tick are computed from the tick at which the counting element was loaded
/// (Intel 82C54 data sheet, "Mode Definitions"). Ticks given must not decrease.
/// </remarks>
internal sealed class PitChannel
{
    /// <summary>No such tick has been.</summary>
    public const long None = long.MinValue;

    /// <summary>How many ticks away from now a restored moment may be: 30 years.</summary>
    public const long LongestDistance = Pit.Frequency * 86_400 * 366 * 30;

    private const long Never = long.MaxValue;

    private int _mode;
    private int _access = 3;
    private bool _binaryCodedDecimal;
    private bool _gate;

    // The count register and the byte flip-flops.
    private int _writtenLow;
    private bool _writesHigh;
    private bool _readsHigh;
    private int _latchedCount = -1;
    private int _latchedBytes;
    private int _latchedStatus = -1;

    // The counting element: loaded with _count at tick _loaded; not counting while _loaded is Never or the count is held.
    private int _count = 0x10000;
    private long _loaded = Never;
    private long _heldElapsed = -1;
    private bool _outputBeforeLoad = true;
    private long _lastRise = None;

    // A count waiting to be loaded: at the end of the period, or at the next trigger (modes 1 and 5).
    private int _nextCount = -1;
    private long _nextLoad = Never;

    public PitChannel(bool gate) => _gate = gate;

    private int Modulus => _binaryCodedDecimal ? 10_000 : 0x10000;

    private bool WaitsForTrigger => _mode is 1 or 5;

    private bool IsPeriodic => _mode is 2 or 3;

    /// <summary>Writes the part of a control word that sets the channel up: access, mode, number base.</summary>
    public void WriteControl(byte value, long now)
    {
        int access = (value >> 4) & 3;
        if (access == 0)
        {
            LatchCount(now);
            return;
        }
        _access = access;
        _mode = (value >> 1) & 7;
        if (_mode > 5)
            _mode -= 4;
        _binaryCodedDecimal = (value & 1) != 0;
        _writesHigh = access == 2;
        _readsHigh = access == 2;
        _latchedCount = -1;
        _latchedStatus = -1;
        _loaded = Never;
        _heldElapsed = -1;
        _nextCount = -1;
        _nextLoad = Never;
        _lastRise = None;
        _outputBeforeLoad = true;
    }

    public void WriteCount(byte value, long now)
    {
        Advance(now);
        switch (_access)
        {
            case 1:
                SetCount(value, now);
                break;
            case 2:
                SetCount(value << 8, now);
                break;
            default:
                if (!_writesHigh)
                {
                    _writtenLow = value;
                    _writesHigh = true;
                    if (_mode == 0)
                    {
                        // The first byte stops the counting and lowers the output at once.
                        _loaded = Never;
                        _heldElapsed = -1;
                    }
                }
                else
                {
                    _writesHigh = false;
                    SetCount(_writtenLow | (value << 8), now);
                }
                break;
        }
    }

    public byte ReadCount(long now)
    {
        if (_latchedStatus >= 0)
        {
            byte status = (byte)_latchedStatus;
            _latchedStatus = -1;
            return status;
        }
        int value = _latchedCount >= 0 ? _latchedCount : CurrentCount(now);
        bool high = _readsHigh;
        if (_access == 3)
            _readsHigh = !_readsHigh;
        if (_latchedCount >= 0 && --_latchedBytes == 0)
            _latchedCount = -1;
        return (byte)(high ? value >> 8 : value);
    }

    /// <summary>Latches the count; without effect while an earlier latch has not been read.</summary>
    public void LatchCount(long now)
    {
        if (_latchedCount >= 0)
            return;
        _latchedCount = CurrentCount(now);
        _latchedBytes = _access == 3 ? 2 : 1;
    }

    /// <summary>Latches the status byte of the read-back command; without effect while an earlier latch has not been read.</summary>
    public void LatchStatus(long now)
    {
        if (_latchedStatus >= 0)
            return;
        Advance(now);
        bool isNull = _nextCount >= 0 || _loaded == Never || now < _loaded;
        _latchedStatus = (Output(now) ? 0x80 : 0) | (isNull ? 0x40 : 0) | (_access << 4) | (_mode << 1) | (_binaryCodedDecimal ? 1 : 0);
    }

    /// <summary>The ticks of a period in a periodic mode that runs; else 0.</summary>
    public int Period => IsPeriodic && _loaded != Never ? _count : 0;

    /// <summary>Whether the mode's low output lasts longer than one tick.</summary>
    public bool HasLongLow => _mode is 0 or 1 or 3;

    /// <summary>Sets the gate input.</summary>
    public void SetGate(bool level, long now)
    {
        if (level == _gate)
            return;
        Advance(now);
        bool output = Output(now);
        _gate = level;
        if (!level)
        {
            // A low gate holds the count where it is; in modes 1 and 5 it has no effect.
            if (!WaitsForTrigger && _loaded != Never)
                _heldElapsed = Math.Max(now - _loaded, 0);
            _nextLoad = Never;
        }
        else if (_mode is 0 or 4)
        {
            if (_heldElapsed >= 0)
                _loaded = now - _heldElapsed;
            _heldElapsed = -1;
        }
        else if (_nextCount >= 0 || _loaded != Never)
        {
            // A rising gate loads the count and starts anew at the next tick.
            if (_nextCount >= 0)
                _count = _nextCount;
            _nextCount = -1;
            _nextLoad = Never;
            _heldElapsed = -1;
            _loaded = now + 1;
            _outputBeforeLoad = output;
        }
    }

    /// <summary>The output pin.</summary>
    public bool Output(long now)
    {
        Advance(now);
        long elapsed = Elapsed(now);
        switch (_mode)
        {
            case 0:
                return elapsed >= _count;
            case 1:
                return elapsed < 0 ? _loaded == Never || _outputBeforeLoad : elapsed >= _count;
            case 2:
                return !_gate || elapsed < 0 || elapsed % _count != _count - 1;
            case 3:
                return !_gate || elapsed < 0 || elapsed % _count < FirstHalf(_count);
            default:
                return elapsed != _count;
        }
    }

    /// <summary>The tick of the last rising edge that the counting itself made, or <see cref="None"/>.</summary>
    public long LastRise(long now)
    {
        Advance(now);
        long elapsed = Elapsed(now);
        if (_heldElapsed >= 0)
            return _lastRise;
        return _mode switch
        {
            0 or 1 when elapsed >= _count => _loaded + _count,
            2 or 3 when elapsed >= _count => _loaded + elapsed / _count * _count,
            4 or 5 when elapsed > _count => _loaded + _count + 1,
            _ => _lastRise,
        };
    }

    /// <summary>
    /// The first tick after <paramref name="now"/> at which the output rises, or a square wave's falls; -1 if none will come.
    /// </summary>
    /// <remarks>The single low tick of modes 2, 4 and 5 is left out: its end is the edge that counts.</remarks>
    public long NextEvent(long now)
    {
        Advance(now);
        if (_loaded == Never || _heldElapsed >= 0)
            return -1;
        long elapsed = Math.Max(now - _loaded, 0);
        long start = _loaded + elapsed / _count * _count;
        long next = _mode switch
        {
            0 or 1 => _loaded + _count,
            2 => start + _count,
            3 => now < start + FirstHalf(_count) ? start + FirstHalf(_count) : start + _count,
            _ => _loaded + _count + 1,
        };
        return next > now ? next : -1;
    }

    /// <param name="state">The exchange.</param>
    /// <param name="now">The tick at which the machine is saved or restored.</param>
    public void ExchangeState(DeviceStateExchange state, long now)
    {
        state.Value("mode", ref _mode, 0, 5);
        state.Value("access", ref _access, 1, 3);
        state.Value("bcd", ref _binaryCodedDecimal);
        state.Value("gate", ref _gate);
        state.Value("written-low", ref _writtenLow, 0, 0xFF);
        state.Value("writes-high", ref _writesHigh);
        state.Value("reads-high", ref _readsHigh);
        state.Value("latched-count", ref _latchedCount, -1, 0xFFFF);
        state.Value("latched-bytes", ref _latchedBytes, 0, 2);
        state.Value("latched-status", ref _latchedStatus, -1, 0xFF);
        state.Value("count", ref _count, 1, 0x10000);
        state.Moment("loaded", ref _loaded, now, LongestDistance);
        state.Value("held-elapsed", ref _heldElapsed, -1, LongestDistance);
        state.Value("output-before-load", ref _outputBeforeLoad);
        state.Moment("last-rise", ref _lastRise, now, LongestDistance);
        state.Value("next-count", ref _nextCount, -1, 0x10000);
        state.Moment("next-load", ref _nextLoad, now, LongestDistance);
        if (_nextCount == 0)
            throw state.Refuse("next-count", "is 0");
        if (_loaded == None)
            throw state.Refuse("loaded", "is no moment");
        if (_lastRise == Never)
            throw state.Refuse("last-rise", "is no moment");
        if (_nextLoad == None)
            throw state.Refuse("next-load", "is no moment");
    }

    private static int FirstHalf(int count) => (count + 1) / 2;

    private void SetCount(int written, long now)
    {
        int count = FromRegister(written);
        if (WaitsForTrigger)
        {
            _nextCount = count;
        }
        else if (IsPeriodic && _loaded != Never && now >= _loaded)
        {
            // The running period (of a square wave: half of it) is finished with the old count; with the gate low, the next trigger loads.
            _lastRise = LastRise(now);
            _nextCount = count;
            long start = _loaded + (now - _loaded) / _count * _count;
            long middle = start + FirstHalf(_count);
            _nextLoad = !_gate ? Never : _mode == 3 && now < middle ? middle : start + _count;
        }
        else
        {
            _lastRise = LastRise(now);
            _count = count;
            _loaded = now + 1;
            // With the gate low the count is loaded all the same, and waits.
            _heldElapsed = _gate ? -1 : 0;
        }
    }

    private void Advance(long now)
    {
        if (_nextCount < 0 || _nextLoad > now)
            return;
        bool startsLowHalf = _mode == 3 && (_nextLoad - _loaded) % _count != 0;
        if (startsLowHalf)
        {
            // Placed so that what begins at the load is the second half of the new count's period.
            _loaded = _nextLoad - FirstHalf(_nextCount);
        }
        else
        {
            _lastRise = _nextLoad;
            _loaded = _nextLoad;
        }
        _count = _nextCount;
        _nextCount = -1;
        _nextLoad = Never;
    }

    private long Elapsed(long now)
    {
        if (_heldElapsed >= 0)
            return _heldElapsed;
        return _loaded == Never ? -1 : now - _loaded;
    }

    private int CurrentCount(long now)
    {
        Advance(now);
        long elapsed = Math.Max(Elapsed(now), 0);
        long value;
        switch (_mode)
        {
            case 2:
                value = _count - elapsed % _count;
                break;
            case 3:
                long phase = elapsed % _count;
                if (phase >= FirstHalf(_count))
                    phase -= FirstHalf(_count);
                value = (_count & ~1) - 2 * phase;
                break;
            default:
                value = _count - elapsed % Modulus;
                if (value < 0)
                    value += Modulus;
                break;
        }
        return ToRegister((int)(value % Modulus));
    }

    private int FromRegister(int written)
    {
        if (!_binaryCodedDecimal)
            return written == 0 ? 0x10000 : written;
        int value = (written & 15) + ((written >> 4) & 15) * 10 + ((written >> 8) & 15) * 100 + ((written >> 12) & 15) * 1000;
        return value == 0 ? 10_000 : value;
    }

    private int ToRegister(int value)
    {
        if (!_binaryCodedDecimal)
            return value;
        return value % 10 | (value / 10 % 10) << 4 | (value / 100 % 10) << 8 | (value / 1000 % 10) << 12;
    }
}
