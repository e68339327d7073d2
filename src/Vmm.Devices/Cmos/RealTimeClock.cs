namespace Vmm.Devices;

/// <summary>
/// The MC146818 real-time clock of a PC with its 128 bytes of CMOS memory: index at port 0x70, data at 0x71. Time in BCD or binary,
/// 12 or 24 hours; periodic, alarm and update-ended interrupts (Motorola MC146818A data sheet; century in byte 0x32).
/// </summary>
/// <remarks>
/// All members may be called from any thread. Time is computed when it is looked at; a timer is armed only for an interrupt that is
/// enabled and not yet reported. Daylight saving is not kept. A time written with fields out of range is brought into range.
/// </remarks>
public sealed class RealTimeClock : BytePortDevice, ISaveableDevice, IDisposable
{
    internal const int StatusA = 0x0A;
    internal const int StatusB = 0x0B;
    internal const int StatusC = 0x0C;
    internal const int StatusD = 0x0D;
    internal const int Century = 0x32;

    private const byte UpdateInProgress = 0x80;
    private const byte SetMode = 0x80;
    private const byte PeriodicFlag = 0x40;
    private const byte AlarmFlag = 0x20;
    private const byte UpdateFlag = 0x10;
    private const byte RequestFlag = 0x80;

    private readonly Lock _gate = new();
    private readonly IMachineClock _clock;
    private readonly IInterruptLine _line;
    private readonly IClockTimer _timer;
    private readonly byte[] _memory = new byte[128];
    private readonly RealTimeCounter _counter;
    private byte _index;
    private byte _flags;
    private long _flagsTime;

    /// <summary>Makes a clock that shows the machine clock's calendar time (UTC) and counts on.</summary>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="line">The interrupt line: interrupt request 8.</param>
    public RealTimeClock(IMachineClock clock, IInterruptLine line)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(line);
        _clock = clock;
        _line = line;
        _counter = new RealTimeCounter(clock.UtcNow.UtcDateTime, clock.Nanoseconds);
        _flagsTime = clock.Nanoseconds;
        _timer = clock.CreateTimer(OnTimer);
        _memory[StatusA] = 0x26;
        _memory[StatusB] = 0x02;
        _memory[Century] = new RealTimeFormat(_memory[StatusB]).Encode(_counter.At(clock.Nanoseconds).Year / 100);
    }

    /// <summary>Disarms the timer.</summary>
    public void Dispose() => _timer.Dispose();

    /// <summary>Sets a byte of the CMOS memory, as set-up firmware would.</summary>
    /// <param name="index">0x0E-0x7F.</param>
    /// <param name="value">The byte.</param>
    public void SetMemory(int index, byte value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 0x0E);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, 0x7F);
        lock (_gate)
            _memory[index] = value;
    }

    /// <summary>Puts the sizes of memory into the bytes where PC firmware keeps them, each as large as its field can say.</summary>
    /// <param name="below4GiB">Bytes of RAM below 4 GiB, counted from address 0.</param>
    /// <param name="above4GiB">Bytes of RAM from 4 GiB.</param>
    public void SetMemorySize(ulong below4GiB, ulong above4GiB)
    {
        ulong conventional = Math.Min(below4GiB / 1024, 640);
        ulong extended = below4GiB > 0x100000 ? Math.Min((below4GiB - 0x100000) / 1024, 0xFFFF) : 0;
        ulong above16MiB = below4GiB > 0x1000000 ? Math.Min((below4GiB - 0x1000000) / 0x10000, 0xFFFF) : 0;
        ulong high = Math.Min(above4GiB / 0x10000, 0xFFFFFF);
        lock (_gate)
        {
            SetWord(0x15, conventional);
            SetWord(0x17, extended);
            SetWord(0x30, extended);
            SetWord(0x34, above16MiB);
            SetWord(0x5B, high);
            _memory[0x5D] = (byte)(high >> 16);
            int sum = 0;
            for (int index = 0x10; index < 0x2E; index++)
                sum += _memory[index];
            _memory[0x2E] = (byte)(sum >> 8);
            _memory[0x2F] = (byte)sum;
        }

        void SetWord(int index, ulong value)
        {
            _memory[index] = (byte)value;
            _memory[index + 1] = (byte)(value >> 8);
        }
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        // The index register of a PC cannot be read.
        if (port != 0x71)
            return 0xFF;
        lock (_gate)
        {
            long now = _clock.Nanoseconds;
            switch (_index)
            {
                case 0 or 2 or 4 or 6 or 7 or 8 or 9 or Century:
                    return IsSetting ? _memory[_index] : TimeField(_index, now);
                case StatusA:
                    return (byte)(_memory[StatusA] | (!IsSetting && _counter.UpdatesSoon(now) ? UpdateInProgress : 0));
                case StatusC:
                    CollectFlags(now);
                    byte flags = (byte)(_flags | (IsRequesting ? RequestFlag : 0));
                    _flags = 0;
                    Refresh(now);
                    return flags;
                case StatusD:
                    return 0x80;
                default:
                    return _memory[_index];
            }
        }
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        lock (_gate)
        {
            if (port == 0x70)
            {
                // Bit 7 masks the NMI, of which this machine has no source.
                _index = (byte)(value & 0x7F);
                return;
            }
            if (port != 0x71)
                return;
            long now = _clock.Nanoseconds;
            CollectFlags(now);
            switch (_index)
            {
                case 0 or 2 or 4 or 6 or 7 or 8 or 9 or Century:
                    WriteTime(value, now);
                    break;
                case StatusA:
                    _memory[StatusA] = (byte)(value & 0x7F);
                    _counter.SetRunning((value & 0x60) != 0x60, now);
                    break;
                case StatusB:
                    WriteStatusB(value, now);
                    break;
                case StatusC or StatusD:
                    break;
                default:
                    _memory[_index] = value;
                    break;
            }
            Refresh(now);
        }
    }

    string ISaveableDevice.StateKind => "rtc-mc146818";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            state.Bytes("memory", _memory);
            state.Value("index", ref _index, 0x7F);
            state.Value("flags", ref _flags, PeriodicFlag | AlarmFlag | UpdateFlag);
            state.Moment("flags-time", ref _flagsTime);
            state.Part("counter", _counter.ExchangeState);
            if (_flagsTime is long.MinValue or long.MaxValue)
                throw state.Refuse("flags-time", "is no moment");
            // From the last look at the flags on, so that what was due and not yet noticed comes at once.
            if (state.IsLoading)
                Arm(_flagsTime);
        }
    }

    private bool IsSetting => (_memory[StatusB] & SetMode) != 0;

    private byte EnabledFlags => (byte)(_memory[StatusB] & (PeriodicFlag | AlarmFlag | UpdateFlag));

    private bool IsRequesting => (_flags & EnabledFlags) != 0;

    private RealTimeFormat Format => new(_memory[StatusB]);

    private byte TimeField(int index, long now) => Format.Field(index, _counter.At(now), _counter.WeekdayOffset);

    private void WriteTime(byte value, long now)
    {
        if (IsSetting)
        {
            _memory[_index] = value;
            return;
        }
        FreezeTime(now);
        _memory[_index] = value;
        AdoptTime(now);
    }

    private void WriteStatusB(byte value, long now)
    {
        bool wasSetting = IsSetting;
        if (!wasSetting && (value & SetMode) != 0)
        {
            FreezeTime(now);
            // The data sheet clears the update interrupt's enable when SET is written.
            value &= unchecked((byte)~UpdateFlag);
        }
        _memory[StatusB] = value;
        // The bytes are read in the format that is in force when the time starts again.
        if (wasSetting && (value & SetMode) == 0)
            AdoptTime(now);
    }

    private void FreezeTime(long now)
    {
        foreach (int index in RealTimeFormat.Fields)
            _memory[index] = TimeField(index, now);
    }

    private void AdoptTime(long now)
    {
        _counter.Set(Format.Decode(_memory, out int weekday), weekday, now);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            long now = _clock.Nanoseconds;
            CollectFlags(now);
            Refresh(now);
        }
    }

    // Sets the flags of everything that has happened since the last look.
    private void CollectFlags(long now)
    {
        long since = _flagsTime;
        _flagsTime = now;
        if (NextPeriodic(since) <= now)
            _flags |= PeriodicFlag;
        if (IsSetting)
            return;
        if (_counter.NextUpdate(since) <= now)
            _flags |= UpdateFlag;
        if (NextAlarm(since) <= now)
            _flags |= AlarmFlag;
    }

    private void Refresh(long now)
    {
        _line.Set(IsRequesting);
        Arm(now);
    }

    // Sets the timer for the next interrupt that is enabled and not yet reported.
    private void Arm(long now)
    {
        long deadline = long.MaxValue;
        int missing = EnabledFlags & ~_flags;
        if (!IsRequesting && missing != 0)
        {
            if ((missing & PeriodicFlag) != 0)
                deadline = Math.Min(deadline, NextPeriodic(now));
            if ((missing & UpdateFlag) != 0 && !IsSetting)
                deadline = Math.Min(deadline, _counter.NextUpdate(now));
            if ((missing & AlarmFlag) != 0 && !IsSetting)
                deadline = Math.Min(deadline, NextAlarm(now));
        }
        if (deadline == long.MaxValue)
            _timer.Disarm();
        else
            _timer.Arm(deadline);
    }

    private long NextPeriodic(long after)
    {
        int rate = _memory[StatusA] & 0x0F;
        return rate == 0 ? long.MaxValue : _counter.NextPeriodic(after, rate);
    }

    private long NextAlarm(long after)
    {
        RealTimeFormat format = Format;
        return _counter.NextAlarm(
            after, format.AlarmField(_memory[1], 60), format.AlarmField(_memory[3], 60), format.AlarmHour(_memory[5]));
    }
}
