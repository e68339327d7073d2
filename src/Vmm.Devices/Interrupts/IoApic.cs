namespace Vmm.Devices;

/// <summary>
/// An I/O APIC with 24 inputs (Intel 82093AA data sheet), with the EOI register of version 0x20. Registers are reached through an index
/// at offset 0 and a window at 0x10.
/// </summary>
/// <remarks>
/// All members may be called from any thread. Inputs carry assertion, not voltage: the polarity bit is kept and has no effect. An edge on
/// a masked input is forgotten, as the data sheet has it. Vectors below 16 are sent as they are: the receiver reports the error.
/// </remarks>
public sealed class IoApic : IMmioDevice, ISaveableDevice
{
    /// <summary>Where a PC has its first I/O APIC.</summary>
    public const ulong StandardAddress = 0xFEC0_0000;

    /// <summary>Bytes of the register page.</summary>
    public const ulong Length = 0x1000;

    /// <summary>Number of inputs.</summary>
    public const int InputCount = 24;

    private const ulong IndexOffset = 0x00;
    private const ulong WindowOffset = 0x10;
    private const ulong EndOfInterruptOffset = 0x40;
    private const uint IdentificationRegister = 0;
    private const uint VersionRegister = 1;
    private const uint ArbitrationRegister = 2;
    private const uint FirstEntryRegister = 0x10;
    private const uint Version = 0x20 | ((InputCount - 1) << 16);
    private const uint IdentificationMask = 0x0F00_0000;

    private readonly Lock _gate = new();
    private readonly InterruptMessage _send;
    private readonly RedirectionEntry[] _entries = new RedirectionEntry[InputCount];
    private readonly Input[] _inputs = new Input[InputCount];
    private uint _asserted;
    private uint _index;
    private uint _identification;

    /// <summary>Makes an I/O APIC as after reset: every input masked, id 0.</summary>
    /// <param name="send">Takes its messages: the partition's.</param>
    public IoApic(InterruptMessage send)
    {
        ArgumentNullException.ThrowIfNull(send);
        _send = send;
        for (int input = 0; input < InputCount; input++)
        {
            _entries[input] = RedirectionEntry.Reset;
            _inputs[input] = new Input(this, input);
        }
    }

    /// <summary>Gives an input.</summary>
    /// <param name="input">0-23.</param>
    public IInterruptLine GetInput(int input)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(input);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(input, InputCount);
        return _inputs[input];
    }

    /// <summary>
    /// A processor has ended a level-triggered interrupt (<see cref="ExitKind.ApicEoi"/>): inputs with that vector that are still asserted
    /// interrupt again.
    /// </summary>
    /// <param name="vector">Its vector.</param>
    public void EndOfInterrupt(byte vector)
    {
        for (int input = 0; input < InputCount; input++)
        {
            InterruptRequest request;
            lock (_gate)
            {
                ref RedirectionEntry entry = ref _entries[input];
                if (!entry.AwaitsEnd || entry.Vector != vector)
                    continue;
                entry.AwaitsEnd = false;
                if (!TrySendLevel(input, out request))
                    continue;
            }
            _send(in request);
        }
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        ulong register = offset & ~3ul;
        uint value;
        lock (_gate)
        {
            value = register switch
            {
                IndexOffset => _index,
                WindowOffset => ReadRegister(),
                _ => 0,
            };
        }
        return (ulong)value >> (int)((offset & 3) * 8);
    }

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        switch (offset)
        {
            case IndexOffset:
                lock (_gate)
                    _index = (byte)value;
                break;
            // Registers are written whole (data sheet, 3.1).
            case WindowOffset when size >= 4:
                WriteRegister((uint)value);
                break;
            case EndOfInterruptOffset:
                EndOfInterrupt((byte)value);
                break;
        }
    }

    string ISaveableDevice.StateKind => "io-apic-82093aa";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            state.Value("index", ref _index, 0xFF);
            state.Value("identification", ref _identification);
            _identification &= IdentificationMask;
            state.Value("asserted", ref _asserted, (1u << InputCount) - 1);
            for (int input = 0; input < InputCount; input++)
            {
                ulong entry = _entries[input].State;
                state.Value($"entry-{input}", ref entry);
                _entries[input].State = entry;
            }
        }
    }

    private uint ReadRegister()
    {
        switch (_index)
        {
            case IdentificationRegister:
                return _identification;
            case VersionRegister:
                return Version;
            case ArbitrationRegister:
                return _identification;
            case >= FirstEntryRegister and < FirstEntryRegister + 2 * InputCount:
                ref RedirectionEntry entry = ref _entries[(_index - FirstEntryRegister) / 2];
                return (_index & 1) == 0 ? entry.Low : entry.High;
            default:
                return 0;
        }
    }

    private void WriteRegister(uint value)
    {
        InterruptRequest request;
        lock (_gate)
        {
            if (_index == IdentificationRegister)
                _identification = value & IdentificationMask;
            if (_index is < FirstEntryRegister or >= FirstEntryRegister + 2 * InputCount)
                return;
            int input = (int)(_index - FirstEntryRegister) / 2;
            if ((_index & 1) != 0)
            {
                _entries[input].WriteHigh(value);
                return;
            }
            _entries[input].WriteLow(value);
            if (!TrySendLevel(input, out request))
                return;
        }
        _send(in request);
    }

    private void SetInput(int input, bool level)
    {
        InterruptRequest request;
        lock (_gate)
        {
            uint bit = 1u << input;
            if (((_asserted & bit) != 0) == level)
                return;
            _asserted ^= bit;
            if (!level)
                return;
            ref RedirectionEntry entry = ref _entries[input];
            if (entry.IsLevelTriggered)
            {
                if (!TrySendLevel(input, out request))
                    return;
            }
            else if (entry.IsMasked || !entry.TryGetMessage(out request))
            {
                return;
            }
        }
        // Outside the lock: the receiver wakes processors.
        _send(in request);
    }

    private bool TrySendLevel(int input, out InterruptRequest request)
    {
        ref RedirectionEntry entry = ref _entries[input];
        request = default;
        bool wants = (_asserted & (1u << input)) != 0 && entry.IsLevelTriggered && !entry.IsMasked && !entry.AwaitsEnd;
        if (!wants || !entry.TryGetMessage(out request))
            return false;
        entry.AwaitsEnd = true;
        return true;
    }

    private sealed class Input(IoApic owner, int input) : IInterruptLine
    {
        public void Set(bool level) => owner.SetInput(input, level);
    }
}
