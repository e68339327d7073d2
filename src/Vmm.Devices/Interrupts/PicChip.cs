using System.Numerics;

namespace Vmm.Devices;

/// <summary>One 8259A: registers and priority logic (Intel 8259A data sheet, order 231468). The pair that owns it locks.</summary>
internal sealed class PicChip
{
    private const byte AllBits = 0xFF;

    private readonly byte _levelCapable;
    private byte _edges;
    private byte _lines;
    private byte _inService;
    private byte _mask;
    private byte _levelTriggered;
    private byte _vectorBase;
    private int _lowestPriority;
    private InitializationStep _step;
    private bool _expectsFourth;
    private bool _single;
    private bool _levelTriggeredAll;
    private bool _automaticEnd;
    private bool _rotateOnAutomaticEnd;
    private bool _fullyNested;
    private bool _specialMask;
    private bool _readsInService;
    private bool _poll;

    /// <param name="levelCapable">The inputs whose trigger mode the edge/level register may change.</param>
    public PicChip(byte levelCapable)
    {
        _levelCapable = levelCapable;
        _lowestPriority = 7;
        _mask = AllBits;
    }

    private enum InitializationStep
    {
        Ready,
        VectorBase,
        Cascade,
        Mode,
    }

    /// <summary>The inputs on which another chip's output arrives (the master's IR2), for the special fully nested mode.</summary>
    public byte CascadeInputs { get; init; }

    /// <summary>Whether the chip was initialised to stand alone (ICW1 SNGL).</summary>
    public bool IsSingle => _single;

    /// <summary>Edge/level control: a set bit makes the input level-triggered.</summary>
    public byte EdgeLevelControl
    {
        get => _levelTriggered;
        set
        {
            _levelTriggered = (byte)(value & _levelCapable);
            // An input that is now level-triggered has no memory of edges.
            _edges &= (byte)~Levels;
        }
    }

    /// <summary>The requests: latched edges, and the levels of level-triggered inputs.</summary>
    public byte Requests => (byte)(_edges | (_lines & Levels));

    public byte InService => _inService;

    public byte Mask => _mask;

    private byte Levels => _levelTriggeredAll ? AllBits : _levelTriggered;

    /// <summary>
    /// Sets an input. A rising edge is latched; it is forgotten if the input falls before it was acknowledged, as on the chip.
    /// </summary>
    public void SetLine(int input, bool level)
    {
        byte bit = (byte)(1 << input);
        if (!level)
        {
            _lines &= (byte)~bit;
            _edges &= (byte)~bit;
        }
        else if ((_lines & bit) == 0)
        {
            _lines |= bit;
            if ((Levels & bit) == 0)
                _edges |= bit;
        }
    }

    /// <summary>The input that would be acknowledged now, or -1: what drives the INT output.</summary>
    public int Pending
    {
        get
        {
            if (_step != InitializationStep.Ready)
                return -1;
            int request = HighestPriority((byte)(Requests & ~_mask));
            if (request < 0)
                return -1;
            byte blocking = _inService;
            if (_specialMask)
                blocking &= (byte)~_mask;
            if (_fullyNested)
                blocking &= (byte)~CascadeInputs;
            int serviced = HighestPriority(blocking);
            return serviced < 0 || Rank(request) < Rank(serviced) ? request : -1;
        }
    }

    /// <summary>
    /// An acknowledge cycle: the vector's low three bits. Nothing pending gives input 7 and leaves the state alone (spurious).
    /// </summary>
    /// <param name="input">The input acknowledged, or -1 when there was none.</param>
    /// <returns>The interrupt vector.</returns>
    public int Acknowledge(out int input)
    {
        input = Pending;
        if (input < 0)
            return _vectorBase | 7;
        byte bit = (byte)(1 << input);
        _edges &= (byte)~bit;
        if (!_automaticEnd)
            _inService |= bit;
        else if (_rotateOnAutomaticEnd)
            _lowestPriority = input;
        return _vectorBase | input;
    }

    public byte ReadData(bool dataPort)
    {
        if (_poll)
        {
            _poll = false;
            _ = Acknowledge(out int input);
            return input < 0 ? (byte)0 : (byte)(0x80 | input);
        }
        if (dataPort)
            return _mask;
        return _readsInService ? _inService : Requests;
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        state.Value("edges", ref _edges);
        state.Value("lines", ref _lines);
        state.Value("in-service", ref _inService);
        state.Value("mask", ref _mask);
        state.Value("level-triggered", ref _levelTriggered, _levelCapable);
        state.Value("vector-base", ref _vectorBase, 0xF8);
        state.Value("lowest-priority", ref _lowestPriority, 0, 7);
        int step = (int)_step;
        state.Value("step", ref step, 0, (int)InitializationStep.Mode);
        _step = (InitializationStep)step;
        state.Value("expects-fourth", ref _expectsFourth);
        state.Value("single", ref _single);
        state.Value("level-triggered-all", ref _levelTriggeredAll);
        state.Value("automatic-end", ref _automaticEnd);
        state.Value("rotate-on-automatic-end", ref _rotateOnAutomaticEnd);
        state.Value("fully-nested", ref _fullyNested);
        state.Value("special-mask", ref _specialMask);
        state.Value("reads-in-service", ref _readsInService);
        state.Value("poll", ref _poll);
        if ((_vectorBase & 7) != 0)
            throw state.Refuse("vector-base", "has low bits set");
        if ((_levelTriggered & ~_levelCapable) != 0)
            throw state.Refuse("level-triggered", "names inputs that are always edge-triggered");
    }

    public void WriteCommand(byte value)
    {
        if ((value & 0x10) != 0)
            BeginInitialization(value);
        else if ((value & 0x08) != 0)
            WriteOperation3(value);
        else
            WriteOperation2(value);
    }

    public void WriteData(byte value)
    {
        switch (_step)
        {
            case InitializationStep.VectorBase:
                _vectorBase = (byte)(value & 0xF8);
                if (!_single)
                    _step = InitializationStep.Cascade;
                else
                    _step = _expectsFourth ? InitializationStep.Mode : InitializationStep.Ready;
                break;
            case InitializationStep.Cascade:
                // The wiring of a PC is fixed: which input the slave is on is not the word's to say.
                _step = _expectsFourth ? InitializationStep.Mode : InitializationStep.Ready;
                break;
            case InitializationStep.Mode:
                _fullyNested = (value & 0x10) != 0;
                _automaticEnd = (value & 0x02) != 0;
                _step = InitializationStep.Ready;
                break;
            default:
                _mask = value;
                break;
        }
    }

    private void BeginInitialization(byte value)
    {
        // What ICW1 does by itself: data sheet, "Initialization Command Words", a to f.
        _edges = 0;
        _mask = 0;
        _inService = 0;
        _lowestPriority = 7;
        _specialMask = false;
        _readsInService = false;
        _poll = false;
        _fullyNested = false;
        _automaticEnd = false;
        _rotateOnAutomaticEnd = false;
        _expectsFourth = (value & 0x01) != 0;
        _single = (value & 0x02) != 0;
        _levelTriggeredAll = (value & 0x08) != 0;
        _step = InitializationStep.VectorBase;
    }

    private void WriteOperation3(byte value)
    {
        if ((value & 0x40) != 0)
            _specialMask = (value & 0x20) != 0;
        _poll = (value & 0x04) != 0;
        if (!_poll && (value & 0x02) != 0)
            _readsInService = (value & 0x01) != 0;
    }

    private void WriteOperation2(byte value)
    {
        int level = value & 7;
        bool rotate = (value & 0x80) != 0;
        bool specific = (value & 0x40) != 0;
        bool end = (value & 0x20) != 0;
        if (!end)
        {
            if (!specific)
                _rotateOnAutomaticEnd = rotate;
            else if (rotate)
                _lowestPriority = level;
            return;
        }
        int ended = specific ? level : HighestPriority(_specialMask ? (byte)(_inService & ~_mask) : _inService);
        if (ended < 0)
            return;
        _inService &= (byte)~(1 << ended);
        if (rotate)
            _lowestPriority = ended;
    }

    private int Rank(int input) => (input - _lowestPriority - 1) & 7;

    private int HighestPriority(byte bits)
    {
        if (bits == 0)
            return -1;
        int top = (_lowestPriority + 1) & 7;
        uint rotated = (((uint)bits >> top) | ((uint)bits << (8 - top))) & AllBits;
        return (BitOperations.TrailingZeroCount(rotated) + top) & 7;
    }
}
