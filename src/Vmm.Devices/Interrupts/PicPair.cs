namespace Vmm.Devices;

/// <summary>
/// The two cascaded 8259A interrupt controllers of a PC: master at ports 0x20 and 0x21, slave at 0xA0 and 0xA1 (on the master's
/// input 2), edge/level control at 0x4D0 and 0x4D1. It is the machine's external interrupt source.
/// </summary>
/// <remarks>
/// All members may be called from any thread. A latched edge is forgotten when its line falls before the acknowledge cycle, and an
/// acknowledge cycle that finds nothing gives the spurious vector 7 of the master or of the slave, as on the chip (Intel 8259A data sheet).
/// Inputs 0, 1, 2, 8 and 13 are always edge-triggered under edge/level control.
/// </remarks>
public sealed class PicPair : BytePortDevice, IExternalInterruptSource, ISaveableDevice
{
    private const int CascadeInput = 2;

    private readonly Lock _gate = new();
    private readonly PicChip _master = new(0xF8) { CascadeInputs = 1 << CascadeInput };
    private readonly PicChip _slave = new(0xDE);
    private readonly Line[] _lines = new Line[16];
    private volatile bool _asserted;

    /// <summary>Makes a pair as at power-on: every input masked until a program initialises the chips.</summary>
    public PicPair()
    {
        for (int irq = 0; irq < _lines.Length; irq++)
            _lines[irq] = new Line(this, irq);
    }

    /// <summary>
    /// Raised when <see cref="Asserted"/> changed other than by <see cref="Acknowledge"/>, on the thread that caused it, with no lock
    /// held.
    /// </summary>
    public event Action? Changed;

    /// <inheritdoc/>
    public bool Asserted => _asserted;

    /// <summary>Gives the line of an interrupt request input.</summary>
    /// <param name="irq">0-15 but not 2, which the slave occupies.</param>
    public IAcknowledgedLine GetLine(int irq)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(irq);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(irq, 15);
        ArgumentOutOfRangeException.ThrowIfEqual(irq, CascadeInput);
        return _lines[irq];
    }

    string ISaveableDevice.StateKind => "pic-8259a-pair";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            state.Part("master", _master.ExchangeState);
            state.Part("slave", _slave.ExchangeState);
            _asserted = _master.Pending >= 0;
        }
        if (state.IsLoading)
            Changed?.Invoke();
    }

    /// <inheritdoc/>
    public int Acknowledge()
    {
        int vector;
        int acknowledged;
        lock (_gate)
        {
            vector = _master.Acknowledge(out int input);
            acknowledged = input;
            if (input == CascadeInput && !_master.IsSingle)
            {
                vector = _slave.Acknowledge(out int slaveInput);
                acknowledged = slaveInput < 0 ? -1 : slaveInput + 8;
                // The slave's output falls in the cycle; if it wants more, the master sees a new edge.
                _master.SetLine(CascadeInput, false);
            }
            Update();
        }
        if (acknowledged >= 0)
            _lines[acknowledged].RaiseAcknowledged();
        return vector;
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        byte value;
        bool before;
        bool after;
        lock (_gate)
        {
            before = _asserted;
            switch (port)
            {
                case 0x20 or 0x21:
                    value = _master.ReadData(port == 0x21);
                    break;
                case 0xA0 or 0xA1:
                    value = _slave.ReadData(port == 0xA1);
                    break;
                case 0x4D0:
                    return _master.EdgeLevelControl;
                case 0x4D1:
                    return _slave.EdgeLevelControl;
                default:
                    return 0xFF;
            }
            Update();
            after = _asserted;
        }
        if (before != after)
            Changed?.Invoke();
        return value;
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        bool before;
        bool after;
        lock (_gate)
        {
            before = _asserted;
            switch (port)
            {
                case 0x20:
                    _master.WriteCommand(value);
                    break;
                case 0x21:
                    _master.WriteData(value);
                    break;
                case 0xA0:
                    _slave.WriteCommand(value);
                    break;
                case 0xA1:
                    _slave.WriteData(value);
                    break;
                case 0x4D0:
                    _master.EdgeLevelControl = value;
                    break;
                case 0x4D1:
                    _slave.EdgeLevelControl = value;
                    break;
                default:
                    return;
            }
            Update();
            after = _asserted;
        }
        if (before != after)
            Changed?.Invoke();
    }

    private void Drive(int irq, bool falls, bool rises)
    {
        bool before;
        bool after;
        lock (_gate)
        {
            before = _asserted;
            PicChip chip = irq < 8 ? _master : _slave;
            if (falls)
                chip.SetLine(irq & 7, false);
            if (rises)
                chip.SetLine(irq & 7, true);
            Update();
            after = _asserted;
        }
        // Outside the lock: the listener wakes vCPUs, and a vCPU may be inside Acknowledge.
        if (before != after)
            Changed?.Invoke();
    }

    private void Update()
    {
        _master.SetLine(CascadeInput, _slave.Pending >= 0);
        _asserted = _master.Pending >= 0;
    }

    private bool IsMasked(int irq)
    {
        lock (_gate)
            return ((irq < 8 ? _master : _slave).Mask & (1 << (irq & 7))) != 0;
    }

    private sealed class Line(PicPair pair, int irq) : IAcknowledgedLine
    {
        public event Action? Acknowledged;

        public bool IsMasked => pair.IsMasked(irq);

        public void Set(bool level) => pair.Drive(irq, !level, level);

        public void Pulse() => pair.Drive(irq, true, true);

        public void RaiseAcknowledged() => Acknowledged?.Invoke();
    }
}
