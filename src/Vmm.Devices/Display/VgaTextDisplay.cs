namespace Vmm.Devices;

/// <summary>
/// A VGA that shows text: its registers at ports 0x3B4 to 0x3DA are state, its text memory is guest RAM, and a client reads the screen
/// (IBM VGA technical reference). It starts in mode 3, 80 by 25 characters, as a video BIOS leaves it; graphics modes are not shown.
/// </summary>
/// <remarks>All members may be called from any thread, also while processors run.</remarks>
public sealed class VgaTextDisplay : BytePortDevice, ISaveableDevice
{
    /// <summary>Where the text memory of colour modes lies in the guest's physical memory.</summary>
    public const ulong TextAddress = 0xB_8000;

    private const ulong MonochromeAddress = 0xB_0000;
    private const int TextLength = 0x8000;
    private const int MostCells = TextLength / 2;

    private const int HorizontalEnd = 0x01;
    private const int Overflow = 0x07;
    private const int CharacterHeight = 0x09;
    private const int CursorStart = 0x0A;
    private const int StartHigh = 0x0C;
    private const int CursorHigh = 0x0E;
    private const int Protection = 0x11;
    private const int VerticalEnd = 0x12;
    private const int Pitch = 0x13;
    private const int GraphicsMiscellaneous = 0x06;

    private readonly Lock _gate = new();
    private readonly GuestMemory _memory;
    private readonly VgaRegisterFile _sequencer = new("sequencer", 5, 0x07);
    private readonly VgaRegisterFile _crtc = new("crtc", 25, 0x3F);
    private readonly VgaRegisterFile _graphics = new("graphics", 9, 0x0F);
    private readonly VgaRegisterFile _attribute = new("attribute", 21, 0x1F);
    private readonly VgaPalette _palette = new();
    private byte _miscellaneous = VgaTextMode.MiscellaneousOutput;
    private byte _feature;
    private bool _attributeTakesData;
    private bool _isScreenOn = true;
    private bool _isRetracing;

    /// <summary>Makes a display.</summary>
    /// <param name="memory">Guest RAM, whose offsets are guest-physical addresses up to 0xBFFFF.</param>
    public VgaTextDisplay(GuestMemory memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentOutOfRangeException.ThrowIfLessThan(memory.Length, TextAddress + TextLength, nameof(memory));
        _memory = memory;
        _sequencer.Load(VgaTextMode.Sequencer);
        _crtc.Load(VgaTextMode.Crtc);
        _graphics.Load(VgaTextMode.Graphics);
        _attribute.Load(VgaTextMode.Attribute);
    }

    /// <inheritdoc/>
    public string StateKind => "vga-text";

    /// <inheritdoc/>
    public int StateVersion => 1;

    /// <summary>Whether the guest has chosen a text mode.</summary>
    public bool IsTextMode
    {
        get
        {
            lock (_gate)
                return (_graphics[GraphicsMiscellaneous] & 1) == 0;
        }
    }

    /// <summary>Registers the ports.</summary>
    /// <param name="ports">The machine's port bus.</param>
    public void Register(PortBus ports)
    {
        ArgumentNullException.ThrowIfNull(ports);
        ports.Register(0x3B4, 2, this, "VGA");
        ports.Register(0x3BA, 1, this, "VGA");
        ports.Register(0x3C0, 16, this, "VGA");
        ports.Register(0x3D4, 2, this, "VGA");
        ports.Register(0x3DA, 1, this, "VGA");
    }

    /// <summary>What the screen shows now; in a graphics mode nothing.</summary>
    /// <remarks>A processor that writes at the same time may be caught half-way through a line.</remarks>
    public VgaTextScreen Read()
    {
        lock (_gate)
        {
            if ((_graphics[GraphicsMiscellaneous] & 1) != 0)
                return new VgaTextScreen(0, [], null);
            int columns = Math.Min(_crtc[HorizontalEnd] + 1, 256);
            int lines = 1 + (_crtc[VerticalEnd] | (_crtc[Overflow] & 0x02) << 7 | (_crtc[Overflow] & 0x40) << 3);
            int rows = Math.Clamp(lines / ((_crtc[CharacterHeight] & 0x1F) + 1), 1, MostCells / columns);
            int pitch = _crtc[Pitch] == 0 ? columns : _crtc[Pitch] * 2;
            int start = _crtc[StartHigh] << 8 | _crtc[StartHigh + 1];
            ReadOnlySpan<byte> text = _memory.GetSpan(IsMonochrome ? MonochromeAddress : TextAddress, TextLength);
            VgaTextCell[] cells = new VgaTextCell[columns * rows];
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    int at = (start + row * pitch + column) % MostCells * 2;
                    cells[row * columns + column] = new VgaTextCell(text[at], text[at + 1]);
                }
            }
            int cursor = (_crtc[CursorHigh] << 8 | _crtc[CursorHigh + 1]) - start;
            bool isVisible = (_crtc[CursorStart] & 0x20) == 0 && cursor >= 0 && cursor / pitch < rows && cursor % pitch < columns;
            return new VgaTextScreen(columns, cells, isVisible ? (cursor / pitch, cursor % pitch) : null);
        }
    }

    /// <inheritdoc/>
    public void ExchangeState(DeviceStateExchange state)
    {
        ArgumentNullException.ThrowIfNull(state);
        lock (_gate)
        {
            _sequencer.ExchangeState(state);
            _crtc.ExchangeState(state);
            _graphics.ExchangeState(state);
            _attribute.ExchangeState(state);
            _palette.ExchangeState(state);
            state.Value("miscellaneous-output", ref _miscellaneous);
            state.Value("feature-control", ref _feature);
            state.Value("attribute-takes-data", ref _attributeTakesData);
            state.Value("is-screen-on", ref _isScreenOn);
            state.Value("is-retracing", ref _isRetracing);
        }
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        lock (_gate)
        {
            if (!IsDecoded(port))
                return 0xFF;
            return port switch
            {
                0x3C0 => (byte)(_attribute.Index | (_isScreenOn ? 0x20 : 0)),
                0x3C1 => _attribute.Selected,
                // A colour monitor is connected.
                0x3C2 => 0x10,
                0x3C4 => _sequencer.Index,
                0x3C5 => _sequencer.Selected,
                0x3C6 or 0x3C7 or 0x3C8 or 0x3C9 => _palette.Read(port),
                0x3CA => _feature,
                0x3CC => _miscellaneous,
                0x3CE => _graphics.Index,
                0x3CF => _graphics.Selected,
                0x3B4 or 0x3D4 => _crtc.Index,
                0x3B5 or 0x3D5 => _crtc.Selected,
                0x3BA or 0x3DA => ReadStatus(),
                _ => 0xFF,
            };
        }
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        lock (_gate)
        {
            if (!IsDecoded(port))
                return;
            switch (port)
            {
                case 0x3C0:
                    WriteAttribute(value);
                    break;
                case 0x3C2:
                    _miscellaneous = value;
                    break;
                case 0x3C4:
                    _sequencer.Index = value;
                    break;
                case 0x3C5:
                    _sequencer.Selected = value;
                    break;
                case 0x3C6 or 0x3C7 or 0x3C8 or 0x3C9:
                    _palette.Write(port, value);
                    break;
                case 0x3CE:
                    _graphics.Index = value;
                    break;
                case 0x3CF:
                    _graphics.Selected = value;
                    break;
                case 0x3B4 or 0x3D4:
                    _crtc.Index = value;
                    break;
                case 0x3B5 or 0x3D5:
                    WriteCrtc(value);
                    break;
                case 0x3BA or 0x3DA:
                    _feature = value;
                    break;
            }
        }
    }

    // The memory map select of the graphics controller: 2 is 0xB0000, 3 is 0xB8000.
    private bool IsMonochrome => (_graphics[GraphicsMiscellaneous] & 0x0C) == 0x08;

    // Bit 0 of the miscellaneous output register moves the CRTC between 0x3Bx and 0x3Dx.
    private bool IsDecoded(ushort port) => (port & 0x3F0) switch
    {
        0x3B0 => (_miscellaneous & 1) == 0,
        0x3D0 => (_miscellaneous & 1) != 0,
        _ => true,
    };

    // Between two reads a retrace begins or ends: who waits for either waits for one read at most.
    private byte ReadStatus()
    {
        _attributeTakesData = false;
        _isRetracing = !_isRetracing;
        return (byte)(_isRetracing ? 0x09 : 0x00);
    }

    private void WriteAttribute(byte value)
    {
        if (_attributeTakesData)
        {
            // The first 16 are the palette, closed while the screen is on.
            if (!_isScreenOn || _attribute.Index >= 0x10)
                _attribute.Selected = value;
        }
        else
        {
            _attribute.Index = value;
            _isScreenOn = (value & 0x20) != 0;
        }
        _attributeTakesData = !_attributeTakesData;
    }

    private void WriteCrtc(byte value)
    {
        if (_crtc.Index <= Overflow && (_crtc[Protection] & 0x80) != 0)
        {
            // Of the timing, only bit 8 of the line compare can be written while it is protected.
            if (_crtc.Index == Overflow)
                _crtc.Selected = (byte)((_crtc.Selected & ~0x10) | (value & 0x10));
            return;
        }
        _crtc.Selected = value;
    }
}
