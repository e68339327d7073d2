namespace Vmm.Devices;

/// <summary>
/// The fixed power-management registers of ACPI (ACPI 6.4, 4.8.3), 12 ports laid out as on Intel's PIIX4: event status and enable at 0
/// and 2, control at 4, the 24-bit timer at 8. There is no legacy mode: SCI_EN is always set. Sleep type 0 is S5, soft off; no other
/// sleep state exists.
/// </summary>
/// <remarks>
/// All members may be called from any thread. A host timer is armed only while the guest has enabled the timer's interrupt.
/// </remarks>
public sealed class AcpiPowerManagement : IPortDevice, IMmioDevice, ISaveableDevice, IDisposable
{
    /// <summary>Where this library's machines have the first port.</summary>
    public const ushort StandardPort = 0x600;

    /// <summary>Number of ports.</summary>
    public const int PortCount = 12;

    /// <summary>The first port is a multiple of this.</summary>
    public const int Alignment = 64;

    /// <summary>The timer's rate, in hertz.</summary>
    public const long TimerFrequency = 3_579_545;

    /// <summary>The sleep type of S5, soft off.</summary>
    public const int SoftOffSleepType = 0;

    private const int TimerWidth = 24;
    private const ushort TimerEvent = 1 << 0;
    private const ushort GlobalEvent = 1 << 5;
    private const ushort PowerButtonEvent = 1 << 8;
    private const ushort RealTimeClockEvent = 1 << 10;
    private const ushort EnableBits = TimerEvent | GlobalEvent | PowerButtonEvent | RealTimeClockEvent;
    private const ushort SystemControlInterruptEnable = 1 << 0;
    private const ushort BusMasterReload = 1 << 1;
    private const ushort SleepTypeMask = 7 << 10;
    private const ushort SleepEnable = 1 << 13;

    private readonly Lock _gate = new();
    private readonly IMachineClock _clock;
    private readonly IInterruptLine _line;
    private readonly PowerControl _power;
    private readonly IClockTimer _timer;
    private ushort _status;
    private ushort _enable;
    private ushort _control;
    private long _seenHalves;
    private long _offset; // ticks that the timer is ahead of the clock, since it was restored

    /// <summary>Makes the registers as after reset.</summary>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="line">The system control interrupt, level-triggered.</param>
    /// <param name="power">Where a power-off request goes.</param>
    public AcpiPowerManagement(IMachineClock clock, IInterruptLine line, PowerControl power)
    {
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(power);
        _clock = clock;
        _line = line;
        _power = power;
        _timer = clock.CreateTimer(OnTimer);
        _seenHalves = Halves;
    }

    string ISaveableDevice.StateKind => "acpi-power-management";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            if (!state.IsLoading)
                Observe();
            state.Value("status", ref _status);
            state.Value("enable", ref _enable);
            state.Value("control", ref _control);
            _enable &= EnableBits;
            _control &= BusMasterReload | SleepTypeMask;
            // On a clock that stands elsewhere the timer goes on from its own count.
            uint timer = (uint)Ticks & ((1 << TimerWidth) - 1);
            state.Value("timer", ref timer, (1 << TimerWidth) - 1);
            if (!state.IsLoading)
                return;
            _offset = 0;
            _offset = (timer - Ticks) & ((1 << TimerWidth) - 1);
            _seenHalves = Halves;
            Arm();
        }
    }

    private long Ticks => (long)((Int128)_clock.Nanoseconds * TimerFrequency / 1_000_000_000) + _offset;

    // The timer's event is a change of its highest bit.
    private long Halves => Ticks >> (TimerWidth - 1);

    /// <summary>Disarms the timer.</summary>
    public void Dispose() => _timer.Dispose();

    /// <summary>Whether the guest has enabled the power button's event: it listens, or a part of it does.</summary>
    public bool IsPowerButtonEnabled
    {
        get
        {
            lock (_gate)
                return (_enable & PowerButtonEvent) != 0;
        }
    }

    /// <summary>The user presses the power button: a guest that listens shuts down.</summary>
    public void PressPowerButton()
    {
        lock (_gate)
        {
            _status |= PowerButtonEvent;
            Update();
        }
    }

    /// <inheritdoc/>
    public uint Read(ushort port, int size) => (uint)Read(Offset(port), size);

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value) => Write(Offset(port), size, value);

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        if (offset >= PortCount)
            return 0;
        UInt128 block;
        lock (_gate)
        {
            Observe();
            ulong low = _status | (ulong)_enable << 16 | (ulong)(_control | SystemControlInterruptEnable) << 32;
            block = new UInt128((ulong)Ticks & ((1 << TimerWidth) - 1), low);
        }
        return (ulong)(block >> ((int)offset * 8));
    }

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        bool powerOff = false;
        lock (_gate)
        {
            Observe();
            for (int index = 0; index < size; index++)
                powerOff |= WriteByte(offset + (ulong)index, (byte)(value >> (8 * index)));
            Update();
        }
        if (powerOff)
            _power.Request(new PowerEvent(PowerEventKind.PowerOff, "ACPI"));
    }

    private static ulong Offset(ushort port) => (ulong)port % Alignment;

    private bool WriteByte(ulong offset, byte value)
    {
        int shift = (int)(offset & 1) * 8;
        ushort bits = (ushort)(value << shift);
        ushort keep = (ushort)~(0xFF << shift);
        switch (offset >> 1)
        {
            case 0:
                _status &= (ushort)~bits;
                break;
            case 1:
                _enable = (ushort)((_enable & keep) | (bits & EnableBits));
                break;
            case 2:
                _control = (ushort)((_control & keep) | (bits & (BusMasterReload | SleepTypeMask)));
                return (bits & SleepEnable) != 0 && (_control & SleepTypeMask) == SoftOffSleepType << 10;
        }
        return false;
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            Observe();
            Update();
        }
    }

    private void Observe()
    {
        long halves = Halves;
        if (halves != _seenHalves)
            _status |= TimerEvent;
        _seenHalves = halves;
    }

    private void Update()
    {
        _line.Set((_status & _enable) != 0);
        Arm();
    }

    private void Arm()
    {
        if ((_enable & TimerEvent) != 0 && (_status & TimerEvent) == 0)
        {
            long next = ((_seenHalves + 1) << (TimerWidth - 1)) - _offset;
            // Rounded up, so that the tick has come when the callback does.
            _timer.Arm((long)(((Int128)next * 1_000_000_000 + TimerFrequency - 1) / TimerFrequency));
        }
        else
        {
            _timer.Disarm();
        }
    }
}
