namespace Vmm.Devices;

/// <summary>
/// The i8042 keyboard controller of a PC: data at port 0x60, commands and status at 0x64, with a keyboard that answers but never types,
/// and no auxiliary port. Command 0xFE and bit 0 of the output port ask for a reset; bit 1 of the output port is the A20 gate.
/// </summary>
/// <remarks>All members may be called from any thread. (IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
/// Controller".)</remarks>
public sealed class KeyboardController : BytePortDevice, ISaveableDevice
{
    private const byte OutputFull = 0x01;
    private const byte SystemFlag = 0x04;
    private const byte LastWasCommand = 0x08;
    private const byte NotLocked = 0x10;
    private const byte InterruptEnabled = 0x01;
    private const byte KeyboardDisabled = 0x10;
    private const byte AuxiliaryDisabled = 0x20;
    private const byte Translates = 0x40;

    // The answers of one command are few; a guest that never reads loses the rest.
    private const int QueueLimit = 32;

    private readonly Lock _gate = new();
    private readonly IInterruptLine _line;
    private readonly PowerControl _power;
    private readonly A20Gate _a20;
    private readonly Keyboard _keyboard = new();
    private readonly Queue<byte> _output = new();
    private readonly byte[] _memory = new byte[32];
    private byte _pendingCommand;
    private byte _lastByte;
    private bool _lastWasCommand;

    /// <summary>Makes a controller as after its self-test.</summary>
    /// <param name="line">The keyboard's interrupt line: interrupt request 1.</param>
    /// <param name="power">Where a reset request goes.</param>
    /// <param name="a20">The gate, shared with port 0x92.</param>
    public KeyboardController(IInterruptLine line, PowerControl power, A20Gate a20)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(power);
        ArgumentNullException.ThrowIfNull(a20);
        _line = line;
        _power = power;
        _a20 = a20;
        _memory[0] = SystemFlag | AuxiliaryDisabled | Translates;
    }

    string ISaveableDevice.StateKind => "i8042";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            ReadOnlyMemory<byte> output = state.Bytes("output", _output.ToArray(), QueueLimit);
            if (state.IsLoading)
            {
                _output.Clear();
                foreach (byte value in output.Span)
                    _output.Enqueue(value);
            }
            state.Bytes("memory", _memory);
            state.Value("pending-command", ref _pendingCommand);
            state.Value("last-byte", ref _lastByte);
            state.Value("last-was-command", ref _lastWasCommand);
            state.Part("keyboard", _keyboard.ExchangeState);
        }
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        lock (_gate)
        {
            switch (port)
            {
                case 0x60:
                    if (_output.TryDequeue(out byte value))
                    {
                        _lastByte = value;
                        // The line falls with each byte taken, and rises again for the next.
                        _line.Set(false);
                        UpdateLine();
                    }
                    return _lastByte;
                case 0x64:
                    return (byte)(NotLocked | (_memory[0] & SystemFlag) | (_lastWasCommand ? LastWasCommand : 0)
                        | (_output.Count > 0 ? OutputFull : 0));
                default:
                    return 0xFF;
            }
        }
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        bool reset = false;
        lock (_gate)
        {
            switch (port)
            {
                case 0x60:
                    reset = WriteData(value);
                    break;
                case 0x64:
                    reset = WriteCommand(value);
                    break;
            }
        }
        if (reset)
            _power.Request(new PowerEvent(PowerEventKind.Reset, "keyboard controller"));
    }

    private bool WriteCommand(byte command)
    {
        _lastWasCommand = true;
        _pendingCommand = 0;
        switch (command)
        {
            case >= 0x20 and <= 0x3F:
                Send(_memory[command & 0x1F]);
                break;
            case >= 0x60 and <= 0x7F or 0xD1 or 0xD2 or 0xD3 or 0xD4:
                _pendingCommand = command;
                break;
            case 0xA7:
                _memory[0] |= AuxiliaryDisabled;
                break;
            case 0xA8:
                // There is no auxiliary port to enable.
                break;
            case 0xA9:
                // The auxiliary port's test: its clock line is stuck, as where there is no port.
                Send(0x02);
                break;
            case 0xAA:
                _output.Clear();
                _memory[0] |= SystemFlag;
                Send(0x55);
                break;
            case 0xAB:
                Send(0x00);
                break;
            case 0xAD:
                _memory[0] |= KeyboardDisabled;
                break;
            case 0xAE:
                _memory[0] &= unchecked((byte)~KeyboardDisabled);
                break;
            case 0xC0:
                // Input port: keyboard not locked.
                Send(0x80);
                break;
            case 0xD0:
                Send((byte)(0x01 | (_a20.Enabled ? 0x02 : 0) | (_output.Count > 0 ? 0x10 : 0) | 0xC0));
                break;
            case >= 0xF0:
                // Pulses low the output lines whose bits are clear; line 0 is the processor's reset.
                return (command & 1) == 0;
        }
        return false;
    }

    private bool WriteData(byte value)
    {
        _lastWasCommand = false;
        byte command = _pendingCommand;
        _pendingCommand = 0;
        switch (command)
        {
            case 0x60:
                _memory[0] = (byte)(value | AuxiliaryDisabled);
                UpdateLine();
                break;
            case > 0x60 and <= 0x7F:
                _memory[command & 0x1F] = value;
                break;
            case 0xD1:
                _a20.Enabled = (value & 2) != 0;
                return (value & 1) == 0;
            case 0xD2 or 0xD3:
                // Loops the byte back; with no auxiliary port, 0xD3 does it as the keyboard's too.
                Send(value);
                break;
            case 0xD4:
                // Nothing there to answer.
                break;
            default:
                // Sending to the keyboard enables it.
                _memory[0] &= unchecked((byte)~KeyboardDisabled);
                foreach (byte answer in _keyboard.Answer(value))
                    Send((_memory[0] & Translates) != 0 ? Translate(answer) : answer);
                break;
        }
        return false;
    }

    // From scan code set 2 to set 1, as far as this keyboard's answers change by it; what is 0xAA and above mostly stays.
    private static byte Translate(byte answer) => answer switch
    {
        0x01 => 0x43,
        0x02 or 0x83 => 0x41,
        0x03 => 0x3F,
        _ => answer,
    };

    private void Send(byte value)
    {
        if (_output.Count >= QueueLimit)
            return;
        _output.Enqueue(value);
        UpdateLine();
    }

    private void UpdateLine() => _line.Set(_output.Count > 0 && (_memory[0] & InterruptEnabled) != 0);
}
