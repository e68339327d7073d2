namespace Vmm.Devices;

/// <summary>
/// The 8254 interval timer of a PC at ports 0x40-0x43, with system control port B at 0x61: channel 0 drives an interrupt line, channel 2
/// is gated by and read through port 0x61 (Intel 82C54 data sheet; the channels' clock is 1.193182 MHz).
/// </summary>
/// <remarks>
/// All members may be called from any thread. Ticks of a periodic mode that a busy guest or host let pass are made up for, one each time
/// the
/// interrupt is taken, up to a second's worth, so that a guest's clock keeps up; on a line that does not tell when its interrupt is taken,
/// they are merged into one.
/// </remarks>
public sealed class Pit : BytePortDevice, ISaveableDevice, IDisposable
{
    /// <summary>The rate of the channels' clock, in hertz.</summary>
    public const long Frequency = 1_193_182;

    // A program may ask for a million interrupts a second: the host's timer thread is not to be spent on that.
    private const long ShortestInterval = 50_000;

    // The same in ticks: what comes faster than that is not made up for.
    private const int ShortestOwed = 60;

    // One toggle of the refresh bit: 18 ticks, 15.1 microseconds.
    private const long RefreshTicks = 18;

    private readonly Lock _gate = new();
    private readonly IMachineClock _clock;
    private readonly IInterruptLine _line;
    private readonly IAcknowledgedLine? _acknowledgedLine;
    private readonly IClockTimer _timer;
    private readonly PitChannel[] _channels = [new(gate: true), new(gate: true), new(gate: false)];
    private byte _control;
    private long _deliveredRise = PitChannel.None;
    private bool _level;
    private long _lastCallback = long.MinValue;
    private long _deadline = long.MaxValue; // when the timer is armed for
    private bool _isAwaited;
    private long _owed;

    /// <summary>Makes a timer whose channels do not count until they are programmed.</summary>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="line">Channel 0's output: interrupt request 0.</param>
    public Pit(IMachineClock clock, IInterruptLine line)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(line);
        _clock = clock;
        _line = line;
        _timer = clock.CreateTimer(OnTimer);
        _acknowledgedLine = line as IAcknowledgedLine;
        if (_acknowledgedLine is not null)
            _acknowledgedLine.Acknowledged += OnAcknowledged;
    }

    /// <summary>Disarms the timer.</summary>
    public void Dispose()
    {
        if (_acknowledgedLine is not null)
            _acknowledgedLine.Acknowledged -= OnAcknowledged;
        _timer.Dispose();
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        lock (_gate)
        {
            long now = Now;
            switch (port)
            {
                case 0x40 or 0x41 or 0x42:
                    return _channels[port - 0x40].ReadCount(now);
                case 0x61:
                    return (byte)(_control | (now / RefreshTicks % 2 != 0 ? 0x10 : 0) | (_channels[2].Output(now) ? 0x20 : 0));
                default:
                    return 0xFF;
            }
        }
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        lock (_gate)
        {
            long now = Now;
            switch (port)
            {
                case 0x40:
                    _channels[0].WriteCount(value, now);
                    UpdateLine(now);
                    break;
                case 0x41 or 0x42:
                    _channels[port - 0x40].WriteCount(value, now);
                    break;
                case 0x43:
                    WriteControl(value, now);
                    break;
                case 0x61:
                    // Bits 2 and 3 switch checks off that this machine's memory never fails.
                    _control = (byte)(value & 0x0F);
                    _channels[2].SetGate((value & 1) != 0, now);
                    break;
            }
        }
    }

    string ISaveableDevice.StateKind => "pit-8254";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            long ticks = ToTicks(state.Now);
            for (int index = 0; index < _channels.Length; index++)
            {
                PitChannel channel = _channels[index];
                state.Part($"channel-{index}", part => channel.ExchangeState(part, ticks));
            }
            state.Value("control", ref _control, 0x0F);
            state.Moment("delivered-rise", ref _deliveredRise, ticks, PitChannel.LongestDistance);
            state.Value("level", ref _level);
            state.Value("is-awaited", ref _isAwaited);
            state.Value("owed", ref _owed, 0, Frequency);
            state.Moment("last-callback", ref _lastCallback);
            state.Moment("deadline", ref _deadline);
            if (_deliveredRise == long.MaxValue)
                throw state.Refuse("delivered-rise", "is no moment");
            if (_lastCallback > state.Now)
                throw state.Refuse("last-callback", "is yet to come");
            if (state.IsLoading)
                Arm();
        }
    }

    private long Now => ToTicks(_clock.Nanoseconds);

    private void WriteControl(byte value, long now)
    {
        int select = value >> 6;
        if (select == 3)
        {
            // Read-back: a clear bit asks for the latch.
            for (int index = 0; index < _channels.Length; index++)
            {
                if ((value & (2 << index)) == 0)
                    continue;
                if ((value & 0x20) == 0)
                    _channels[index].LatchCount(now);
                if ((value & 0x10) == 0)
                    _channels[index].LatchStatus(now);
            }
            return;
        }
        bool isLatch = (value & 0x30) == 0;
        _channels[select].WriteControl(value, now);
        if (select == 0 && !isLatch)
        {
            // A new mode owes nothing of the old one, and its first tick is not late.
            _owed = 0;
            _isAwaited = false;
            _deliveredRise = PitChannel.None;
            UpdateLine(now);
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _lastCallback = _clock.Nanoseconds;
            UpdateLine(Now);
        }
    }

    private void UpdateLine(long now)
    {
        PitChannel channel = _channels[0];
        long rise = channel.LastRise(now);
        if (rise > _deliveredRise)
        {
            Owe(channel, rise);
            _deliveredRise = rise;
            Pulse();
        }
        // The one low tick of a strobe is over before anyone could look: only a low that lasts is shown.
        if (channel.HasLongLow || channel.Output(now))
            SetLine(channel.Output(now));
        long next = channel.NextEvent(now);
        _deadline = next < 0 ? long.MaxValue : Math.Max(ToNanoseconds(next), _lastCallback + ShortestInterval);
        Arm();
    }

    private void Arm()
    {
        if (_deadline == long.MaxValue)
            _timer.Disarm();
        else
            _timer.Arm(_deadline);
    }

    // Counts the ticks that the coming edge does not stand for: those that passed unseen, and the one before if nobody has taken it.
    private void Owe(PitChannel channel, long rise)
    {
        if (_acknowledgedLine is null || channel.Period < ShortestOwed || _acknowledgedLine.IsMasked)
        {
            _owed = 0;
            return;
        }
        long ticks = _deliveredRise == PitChannel.None ? 1 : Math.Max((rise - _deliveredRise) / channel.Period, 1);
        _owed = Math.Min(_owed + ticks - (_isAwaited ? 0 : 1), Math.Max(Frequency / channel.Period, 1));
    }

    private void OnAcknowledged()
    {
        lock (_gate)
        {
            _isAwaited = false;
            if (_owed == 0)
                return;
            _owed--;
            Pulse();
        }
    }

    private void Pulse()
    {
        _level = true;
        _line.Pulse();
        _isAwaited = true;
    }

    private void SetLine(bool level)
    {
        if (level == _level)
            return;
        _level = level;
        _line.Set(level);
    }

    private static long ToTicks(long nanoseconds) => (long)((Int128)nanoseconds * Frequency / 1_000_000_000);

    // Rounded up, so that the tick has come when the callback does.
    private static long ToNanoseconds(long ticks) => (long)(((Int128)ticks * 1_000_000_000 + Frequency - 1) / Frequency);
}
