namespace Vmm.Devices;

/// <summary>
/// A 16550A UART at eight consecutive ports: FIFOs, all registers, interrupt priorities, loopback (National PC16550D data sheet).
/// What the guest sends goes to a sink byte by byte as it comes; what the host sends waits in a bounded queue and never overruns the FIFO.
/// </summary>
/// <remarks>
/// All members may be called from any thread. Sending takes no time: the transmitter is always empty. As on a PC, the interrupt
/// reaches the line only while OUT2 is set (and not in loopback). The modem lines say that a ready peer is there. Bytes pass whole,
/// whatever word length is set: small guests send without setting the port up, and the peer is no wire.
/// </remarks>
public sealed class Uart16550 : BytePortDevice, ISaveableDevice, IDisposable
{
    /// <summary>How many bytes from the host may wait beyond the FIFO.</summary>
    public const int WaitingLimit = 4096;

    private const byte DataReady = 0x01;
    private const byte Overrun = 0x02;
    private const byte BreakReceived = 0x10;
    private const byte TransmitterEmpty = 0x60;
    private const byte FifoError = 0x80;
    private const byte ErrorBits = 0x1E;

    private const byte EnableReceived = 0x01;
    private const byte EnableTransmit = 0x02;
    private const byte EnableLineStatus = 0x04;
    private const byte EnableModemStatus = 0x08;

    private const byte LoopbackMode = 0x10;
    private const byte Out2 = 0x08;
    private const byte DivisorAccess = 0x80;
    private const byte SetBreak = 0x40;

    // CTS, DSR and DCD: a peer that is always ready.
    private const byte PeerReady = 0xB0;

    private static readonly byte[] s_triggers = [1, 4, 8, 14];

    private readonly Lock _gate = new();
    private readonly ushort _base;
    private readonly IInterruptLine _line;
    private readonly SerialOutput _output;
    private readonly IMachineClock _clock;
    private readonly IClockTimer _timer;
    private readonly UartReceiver _receiver = new(WaitingLimit);
    private readonly SemaphoreSlim _room = new(0, 1);
    private byte _interruptEnable;
    private byte _fifoControl;
    private byte _lineControl;
    private byte _modemControl;
    private byte _modemStatus = PeerReady;
    private byte _scratch;
    private ushort _divisor = 12;
    private bool _overrun;
    private bool _transmitPending;
    private bool _timeoutPending;
    private bool _level;
    private long _timeout = long.MaxValue; // when the timer is armed for

    /// <summary>Makes a UART as after a master reset.</summary>
    /// <param name="port">Its first port, e.g. 0x3F8.</param>
    /// <param name="clock">The machine's clock, for the receiver's time-out.</param>
    /// <param name="line">Its interrupt line, e.g. interrupt request 4.</param>
    /// <param name="output">Takes what the guest sends.</param>
    public Uart16550(ushort port, IMachineClock clock, IInterruptLine line, SerialOutput output)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(output);
        _base = port;
        _clock = clock;
        _line = line;
        _output = output;
        _timer = clock.CreateTimer(OnTimeout);
    }

    /// <summary>How many bytes from the host there is room for now.</summary>
    public int Room
    {
        get
        {
            lock (_gate)
                return _receiver.WaitingRoom;
        }
    }

    /// <summary>Sends bytes to the guest, as many as there is room for now.</summary>
    /// <param name="data">The bytes.</param>
    /// <returns>How many were taken; fewer than given when the queue is full.</returns>
    public int Receive(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            int taken = Math.Min(data.Length, _receiver.WaitingRoom);
            for (int index = 0; index < taken; index++)
                _receiver.Wait(data[index]);
            Refill();
            return taken;
        }
    }

    /// <summary>Sends bytes to the guest and waits for room as often as needed. One caller at a time.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="cancellationToken">Ends the waiting; bytes already taken stay taken.</param>
    public async ValueTask ReceiveAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            data = data[Receive(data.Span)..];
            if (data.IsEmpty)
                return;
            await _room.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a break condition to the guest. False when the queue is full.</summary>
    public bool ReceiveBreak()
    {
        lock (_gate)
        {
            if (_receiver.WaitingRoom == 0)
                return false;
            _receiver.Wait(BreakReceived << 8);
            Refill();
            return true;
        }
    }

    /// <summary>Disarms the time-out.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _room.Dispose();
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        lock (_gate)
        {
            switch (port - _base)
            {
                case 0:
                    return HasDivisorAccess ? (byte)_divisor : ReadReceiver();
                case 1:
                    return HasDivisorAccess ? (byte)(_divisor >> 8) : _interruptEnable;
                case 2:
                    return ReadIdentification();
                case 3:
                    return _lineControl;
                case 4:
                    return _modemControl;
                case 5:
                    return ReadLineStatus();
                case 6:
                    byte status = _modemStatus;
                    _modemStatus &= 0xF0;
                    UpdateLine();
                    return status;
                case 7:
                    return _scratch;
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
            switch (port - _base)
            {
                case 0 when HasDivisorAccess:
                    _divisor = (ushort)((_divisor & 0xFF00) | value);
                    break;
                case 0:
                    Transmit(value);
                    break;
                case 1 when HasDivisorAccess:
                    _divisor = (ushort)((_divisor & 0x00FF) | (value << 8));
                    break;
                case 1:
                    // Enabling the transmitter's interrupt while it is empty makes it at once.
                    if ((value & ~_interruptEnable & EnableTransmit) != 0)
                        _transmitPending = true;
                    _interruptEnable = (byte)(value & 0x0F);
                    break;
                case 2:
                    WriteFifoControl(value);
                    break;
                case 3:
                    WriteLineControl(value);
                    break;
                case 4:
                    _modemControl = (byte)(value & 0x1F);
                    UpdateModemStatus();
                    Refill();
                    break;
                case 7:
                    _scratch = value;
                    break;
            }
            UpdateLine();
        }
    }

    string ISaveableDevice.StateKind => "uart-16550a";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            state.Value("interrupt-enable", ref _interruptEnable, 0x0F);
            state.Value("fifo-control", ref _fifoControl);
            state.Value("line-control", ref _lineControl);
            state.Value("modem-control", ref _modemControl, 0x1F);
            state.Value("modem-status", ref _modemStatus);
            state.Value("scratch", ref _scratch);
            state.Value("divisor", ref _divisor);
            state.Value("overrun", ref _overrun);
            state.Value("transmit-pending", ref _transmitPending);
            state.Value("timeout-pending", ref _timeoutPending);
            state.Value("level", ref _level);
            state.Part("receiver", _receiver.ExchangeState);
            state.Moment("timeout", ref _timeout);
            if (!state.IsLoading)
                return;
            if (_timeout == long.MaxValue)
                _timer.Disarm();
            else
                _timer.Arm(_timeout);
            if (_receiver.WaitingRoom > 0 && _room.CurrentCount == 0)
                _room.Release();
        }
    }

    private bool HasDivisorAccess => (_lineControl & DivisorAccess) != 0;

    private bool IsLoopback => (_modemControl & LoopbackMode) != 0;

    private int Trigger => _receiver.FifoEnabled ? s_triggers[_fifoControl >> 6] : 1;

    private byte LineStatus =>
        (byte)(TransmitterEmpty
            | (_receiver.Count > 0 ? DataReady : 0)
            | (_overrun ? Overrun : 0)
            | (_receiver.Top >> 8)
            | (_receiver.FifoEnabled && _receiver.HasErrors ? FifoError : 0));

    // The source that the identification register shows: the highest of those enabled (data sheet, table 4).
    private byte Identification
    {
        get
        {
            if ((_interruptEnable & EnableLineStatus) != 0 && (LineStatus & ErrorBits) != 0)
                return 0x06;
            if ((_interruptEnable & EnableReceived) != 0)
            {
                if (_receiver.Count >= Trigger)
                    return 0x04;
                if (_timeoutPending)
                    return 0x0C;
            }
            if ((_interruptEnable & EnableTransmit) != 0 && _transmitPending)
                return 0x02;
            if ((_interruptEnable & EnableModemStatus) != 0 && (_modemStatus & 0x0F) != 0)
                return 0x00;
            return 0x01;
        }
    }

    private byte ReadReceiver()
    {
        byte value = _receiver.Pop();
        _timeoutPending = false;
        Refill();
        RestartTimeout();
        UpdateLine();
        return value;
    }

    private byte ReadIdentification()
    {
        byte identification = Identification;
        if (identification == 0x02)
            _transmitPending = false;
        UpdateLine();
        return (byte)(identification | (_receiver.FifoEnabled ? 0xC0 : 0));
    }

    private byte ReadLineStatus()
    {
        byte status = LineStatus;
        _overrun = false;
        if (_receiver.Count > 0)
            _receiver.ClearTopErrors();
        UpdateLine();
        return status;
    }

    private void Transmit(byte value)
    {
        if (IsLoopback)
        {
            if ((_lineControl & SetBreak) == 0)
                ReceiveLooped(value);
        }
        else
        {
            _output([value]);
        }
        _transmitPending = true;
    }

    private void ReceiveLooped(ushort character)
    {
        if (!_receiver.Push(character))
            _overrun = true;
        _timeoutPending = false;
        RestartTimeout();
    }

    private void WriteFifoControl(byte value)
    {
        bool enabled = (value & 1) != 0;
        bool switched = enabled != _receiver.FifoEnabled;
        // The other bits are only taken together with the enable bit.
        _fifoControl = enabled ? value : (byte)0;
        if (switched || (enabled && (value & 2) != 0))
        {
            _receiver.Clear();
            _timeoutPending = false;
            StopTimeout();
        }
        _receiver.FifoEnabled = enabled;
        if (switched || (enabled && (value & 4) != 0))
            _transmitPending = true;
        Refill();
    }

    private void WriteLineControl(byte value)
    {
        bool breaks = (value & ~_lineControl & SetBreak) != 0;
        _lineControl = value;
        if (breaks && IsLoopback)
            ReceiveLooped(BreakReceived << 8);
    }

    private void UpdateModemStatus()
    {
        byte lines = PeerReady;
        if (IsLoopback)
        {
            // RTS is looped to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD.
            lines = (byte)(((_modemControl & 0x02) << 3) | ((_modemControl & 0x01) << 5) | ((_modemControl & 0x0C) << 4));
        }
        int changed = (lines ^ _modemStatus) & 0xF0;
        // The ring indicator counts only when it ends.
        if ((lines & 0x40) != 0)
            changed &= ~0x40;
        _modemStatus = (byte)(lines | (_modemStatus & 0x0F) | (changed >> 4));
    }

    // The host's bytes are held back while the receiver listens to its own transmitter.
    private void Refill()
    {
        if (IsLoopback)
            return;
        bool wasFull = _receiver.WaitingRoom == 0;
        if (_receiver.Refill())
        {
            _timeoutPending = false;
            RestartTimeout();
            UpdateLine();
        }
        if (wasFull && _receiver.WaitingRoom > 0 && _room.CurrentCount == 0)
            _room.Release();
    }

    // Four character times without traffic while something waits below the trigger level (data sheet, "FIFO interrupt mode").
    private void RestartTimeout()
    {
        if (!_receiver.FifoEnabled || _receiver.Count == 0 || _receiver.Count >= Trigger)
        {
            StopTimeout();
            return;
        }
        int bits = 7 + (_lineControl & 3) + ((_lineControl >> 2) & 1) + ((_lineControl >> 3) & 1);
        long bitNanoseconds = Math.Max((int)_divisor, 1) * 1_000_000_000L / 115_200;
        _timeout = _clock.Nanoseconds + 4 * bits * bitNanoseconds;
        _timer.Arm(_timeout);
    }

    private void StopTimeout()
    {
        _timeout = long.MaxValue;
        _timer.Disarm();
    }

    private void OnTimeout()
    {
        lock (_gate)
        {
            if (_clock.Nanoseconds >= _timeout)
                _timeout = long.MaxValue;
            if (_receiver.FifoEnabled && _receiver.Count > 0 && _receiver.Count < Trigger)
                _timeoutPending = true;
            UpdateLine();
        }
    }

    private void UpdateLine()
    {
        bool level = Identification != 0x01 && (_modemControl & (Out2 | LoopbackMode)) == Out2;
        if (level == _level)
            return;
        _level = level;
        _line.Set(level);
    }
}
