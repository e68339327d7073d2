namespace Vmm.Devices;

/// <summary>
/// Where the devices of a PC find their interrupt lines. Lines 0 to 15 are the ISA interrupt requests: each reaches the 8259A pair and,
/// where there is one, the I/O APIC, on the input of the same number but line 0, which is on input 2. Lines 16 to 23 reach the I/O APIC
/// alone. The number of a line is its ACPI global system interrupt, but that of line 0 is 2.
/// </summary>
/// <remarks>All members may be called from any thread.</remarks>
public sealed class InterruptRouter : ISaveableDevice
{
    /// <summary>Number of ISA lines.</summary>
    public const int IsaLineCount = 16;

    private const int CascadeLine = 2;

    private readonly SharedLine?[] _lines;

    /// <summary>Wires the controllers.</summary>
    /// <param name="pic">The 8259A pair.</param>
    /// <param name="ioApic">The I/O APIC; null for a machine without local APICs.</param>
    public InterruptRouter(PicPair pic, IoApic? ioApic)
    {
        ArgumentNullException.ThrowIfNull(pic);
        Pic = pic;
        IoApic = ioApic;
        _lines = new SharedLine?[ioApic is null ? IsaLineCount : IoApic.InputCount];
        for (int line = 0; line < _lines.Length; line++)
        {
            if (line != CascadeLine)
                _lines[line] = new SharedLine(line < IsaLineCount ? pic.GetLine(line) : null, ioApic?.GetInput(InputOf(line)));
        }
    }

    /// <summary>The 8259A pair.</summary>
    public PicPair Pic { get; }

    /// <summary>The I/O APIC, or null.</summary>
    public IoApic? IoApic { get; }

    /// <summary>Number of lines: 24, or 16 without an I/O APIC.</summary>
    public int LineCount => _lines.Length;

    /// <summary>The I/O APIC's input, and so the ACPI global system interrupt, of a line.</summary>
    /// <param name="line">0 to 23.</param>
    public static int InputOf(int line) => line == 0 ? CascadeLine : line;

    /// <summary>
    /// Gives a new input of a line. The line is asserted while any of its inputs is, so level-triggered devices may share one. A device
    /// may drive its input while it holds its own lock.
    /// </summary>
    /// <param name="line">0 to <see cref="LineCount"/> - 1, but not 2, on which no device of a PC can be.</param>
    public IAcknowledgedLine Connect(int line)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(line);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(line, _lines.Length);
        ArgumentOutOfRangeException.ThrowIfEqual(line, CascadeLine);
        return _lines[line]!.Connect();
    }

    string ISaveableDevice.StateKind => "interrupt-router";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        state.Require("lines", (ulong)_lines.Length);
        for (int line = 0; line < _lines.Length; line++)
            _lines[line]?.ExchangeState(state, $"line-{line}");
    }

    private sealed class SharedLine(IAcknowledgedLine? isa, IInterruptLine? redirected)
    {
        private readonly Lock _gate = new();
        private readonly List<Input> _inputs = [];
        private int _asserting;

        public IAcknowledgedLine? Isa { get; } = isa;

        public Input Connect()
        {
            lock (_gate)
            {
                Input input = new(this);
                _inputs.Add(input);
                return input;
            }
        }

        // The levels of the inputs in the order in which they were connected; the controllers restore what they saw of them.
        public void ExchangeState(DeviceStateExchange state, string name)
        {
            lock (_gate)
            {
                byte[] levels = [.. _inputs.Select(input => input.Level ? (byte)1 : (byte)0)];
                state.Bytes(name, levels);
                _asserting = 0;
                for (int index = 0; index < levels.Length; index++)
                {
                    if (levels[index] > 1)
                        throw state.Refuse(name, "has a level that is neither 0 nor 1");
                    _inputs[index].Level = levels[index] != 0;
                    _asserting += levels[index];
                }
            }
        }

        public void Pulse(Input input)
        {
            lock (_gate)
            {
                if (!input.Level)
                {
                    Change(input, true);
                }
                else if (_asserting == 1)
                {
                    Isa?.Pulse();
                    redirected?.Pulse();
                }
            }
        }

        public void Change(Input input, bool level)
        {
            // The controllers are told inside the lock, so that they see changes in the order in which they were made. They call nobody
            // back who would want a line.
            lock (_gate)
            {
                if (!input.TryChange(level))
                    return;
                int before = _asserting;
                _asserting += level ? 1 : -1;
                if ((before == 0) == (_asserting == 0))
                    return;
                Isa?.Set(level);
                redirected?.Set(level);
            }
        }
    }

    private sealed class Input(SharedLine line) : IAcknowledgedLine
    {
        // Under the line's lock.
        public bool Level { get; set; }

        public event Action? Acknowledged
        {
            add
            {
                if (line.Isa is not null)
                    line.Isa.Acknowledged += value;
            }
            remove
            {
                if (line.Isa is not null)
                    line.Isa.Acknowledged -= value;
            }
        }

        // Only the 8259A tells when an interrupt was taken: with its input masked nothing is told.
        public bool IsMasked => line.Isa is null || line.Isa.IsMasked;

        public void Set(bool level) => line.Change(this, level);

        public void Pulse() => line.Pulse(this);

        // Under the line's lock.
        public bool TryChange(bool level)
        {
            if (Level == level)
                return false;
            Level = level;
            return true;
        }
    }
}
