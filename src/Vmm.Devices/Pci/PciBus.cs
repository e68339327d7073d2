namespace Vmm.Devices;

/// <summary>
/// PCI bus 0 with its host bridge's configuration mechanism #1 (ports 0xCF8 and 0xCFC), the placing of its functions' windows on the
/// machine's buses, and four interrupt lines PIRQA# to PIRQD# that the functions' pins share.
/// </summary>
/// <remarks>
/// All members may be called from any thread. Locks are taken in this order: the bus's configuration lock, a device's own, the bus's
/// interrupt lock, an interrupt controller's; a device may therefore drive its pin while it holds its own lock.
/// </remarks>
public sealed class PciBus : IPortDevice, ISaveableDevice
{
    /// <summary>The address register: port 0xCF8.</summary>
    public const ushort AddressPort = 0xCF8;

    /// <summary>The data register: ports 0xCFC to 0xCFF.</summary>
    public const ushort DataPort = 0xCFC;

    private const int DeviceCount = 32;
    private const int FunctionCount = 8;
    private const uint AddressBits = 0x80FF_FFFC;
    private const uint Enabled = 0x8000_0000;

    private readonly PortBus _ports;
    private readonly MmioBus _mmio;
    private readonly Lock _interruptGate = new();
    private readonly PciFunction?[] _functions = new PciFunction?[DeviceCount * FunctionCount];
    private readonly bool[] _levels = new bool[4];
    private Action<int, bool>? _interruptSink;
    private uint _address;

    /// <summary>Makes an empty bus and registers its configuration ports.</summary>
    /// <param name="ports">Where windows of ports appear.</param>
    /// <param name="mmio">Where windows of memory appear.</param>
    public PciBus(PortBus ports, MmioBus mmio)
    {
        ArgumentNullException.ThrowIfNull(ports);
        ArgumentNullException.ThrowIfNull(mmio);
        _ports = ports;
        _mmio = mmio;
        ports.Register(AddressPort, 1, this, "PCI configuration address");
        ports.Register(DataPort, 4, this, "PCI configuration data");
    }

    /// <summary>The functions, by device and function number.</summary>
    public IEnumerable<PciFunction> Functions => _functions.OfType<PciFunction>();

    string ISaveableDevice.StateKind => "pci-bus";

    int ISaveableDevice.StateVersion => 1;

    internal Lock Gate { get; } = new();

    /// <summary>The line, 0 = PIRQA# to 3 = PIRQD#, that a pin of a device is wired to, as on 440FX boards.</summary>
    /// <param name="device">Device number, 0-31.</param>
    /// <param name="pin">Pin, 1 = INTA# to 4 = INTD#.</param>
    public static int LineOf(int device, int pin) => (device - 1 + (pin - 1)) & 3;

    /// <summary>Puts a function on the bus. Function 0 of a device comes before its others.</summary>
    /// <param name="device">Device number, 0-31.</param>
    /// <param name="number">Function number, 0-7.</param>
    /// <param name="function">The function.</param>
    /// <exception cref="ArgumentException">The place is taken, or function 0 is missing.</exception>
    public void Add(int device, int number, PciFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentOutOfRangeException.ThrowIfNegative(device);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(device, DeviceCount);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, FunctionCount);
        lock (Gate)
        {
            ref PciFunction? place = ref _functions[device * FunctionCount + number];
            if (place is not null)
                throw new ArgumentException($"PCI function {device}.{number} is taken.", nameof(number));
            if (number > 0)
            {
                PciFunction first = _functions[device * FunctionCount]
                    ?? throw new ArgumentException($"PCI device {device} has no function 0 yet.", nameof(number));
                first.SetMultiFunction();
            }
            function.Attach(this, device, number);
            place = function;
        }
    }

    /// <summary>Puts a function at function 0 of the first free device from a number on.</summary>
    /// <returns>The device number.</returns>
    /// <exception cref="InvalidOperationException">The bus is full.</exception>
    public int AddNext(PciFunction function, int firstDevice = 2)
    {
        lock (Gate)
        {
            for (int device = firstDevice; device < DeviceCount; device++)
            {
                if (_functions[device * FunctionCount] is not null)
                    continue;
                Add(device, 0, function);
                return device;
            }
        }
        throw new InvalidOperationException("The PCI bus has no free device number.");
    }

    /// <summary>The function at a place, or null.</summary>
    public PciFunction? Find(int device, int number) =>
        (uint)device < DeviceCount && (uint)number < FunctionCount ? _functions[device * FunctionCount + number] : null;

    /// <summary>Says where the levels of the interrupt lines go, and sends them there.</summary>
    /// <param name="sink">Called with the line, 0-3, and its level at each change, under the interrupt lock.</param>
    public void ConnectInterrupts(Action<int, bool> sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        lock (_interruptGate)
        {
            _interruptSink = sink;
            for (int line = 0; line < _levels.Length; line++)
                sink(line, _levels[line]);
        }
    }

    /// <summary>Reads a register of a function, as a configuration cycle would; all ones where nothing answers.</summary>
    /// <param name="device">Device number.</param>
    /// <param name="number">Function number.</param>
    /// <param name="offset">Offset, 0-255.</param>
    /// <param name="size">Bytes: 1, 2 or 4; the access stays inside an aligned group of four.</param>
    public uint ReadConfiguration(int device, int number, int offset, int size)
    {
        CheckAccess(offset, size);
        lock (Gate)
            return Find(device, number)?.ReadConfiguration(offset, size) ?? Ones(size);
    }

    /// <summary>Writes a register of a function, as a configuration cycle would.</summary>
    /// <param name="device">Device number.</param>
    /// <param name="number">Function number.</param>
    /// <param name="offset">Offset, 0-255.</param>
    /// <param name="size">Bytes: 1, 2 or 4; the access stays inside an aligned group of four.</param>
    /// <param name="value">The value.</param>
    public void WriteConfiguration(int device, int number, int offset, int size, uint value)
    {
        CheckAccess(offset, size);
        lock (Gate)
            Find(device, number)?.WriteConfiguration(offset, size, value);
    }

    /// <summary>Puts all functions in their power-on state.</summary>
    public void Reset()
    {
        lock (Gate)
        {
            _address = 0;
            foreach (PciFunction function in Functions)
                function.Reset();
            UpdateWindows();
            UpdateInterrupts();
        }
    }

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (Gate)
        {
            uint address = _address;
            state.Value("address", ref address);
            _address = address & AddressBits;
            foreach (PciFunction function in Functions)
                state.Part($"{function.DeviceNumber}-{function.FunctionNumber}", function.ExchangeState);
            if (!state.IsLoading)
                return;
            UpdateWindows();
            lock (_interruptGate)
                ReadLevels(_levels);
        }
    }

    /// <inheritdoc/>
    public uint Read(ushort port, int size)
    {
        lock (Gate)
        {
            if (port == AddressPort)
                return size == 4 ? _address : uint.MaxValue;
            if (!TryGetTarget(port, out PciFunction? function, out int offset))
                return uint.MaxValue;
            // Bytes beyond the data register are nobody's.
            int inside = Math.Min(size, 4 - (offset & 3));
            uint value = function.ReadConfiguration(offset, inside);
            return inside == size ? value : value | (uint.MaxValue << (8 * inside));
        }
    }

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        lock (Gate)
        {
            if (port == AddressPort)
            {
                // Smaller accesses are no configuration address (440FX data sheet, 3.1.1).
                if (size == 4)
                    _address = value & AddressBits;
            }
            else if (TryGetTarget(port, out PciFunction? function, out int offset))
            {
                function.WriteConfiguration(offset, Math.Min(size, 4 - (offset & 3)), value);
            }
        }
    }

    // Windows first leave where they no longer shall be, so that one may take another's place; one that finds its place taken waits.
    internal void UpdateWindows()
    {
        foreach (PciFunction function in Functions)
        {
            foreach (PciBar bar in function.Bars)
            {
                if (bar.Registration is null || function.WantedAddress(bar) == bar.Address)
                    continue;
                bar.Registration.Dispose();
                bar.Registration = null;
                bar.Address = null;
            }
        }
        foreach (PciFunction function in Functions)
        {
            foreach (PciBar bar in function.Bars)
            {
                if (bar.Registration is not null || function.WantedAddress(bar) is not { } address)
                    continue;
                bar.Registration = Register(bar, address, function.Identity);
                if (bar.Registration is not null)
                    bar.Address = address;
            }
        }
    }

    internal void UpdateInterrupts()
    {
        lock (_interruptGate)
        {
            Span<bool> levels = stackalloc bool[4];
            ReadLevels(levels);
            for (int line = 0; line < _levels.Length; line++)
            {
                if (_levels[line] == levels[line])
                    continue;
                _levels[line] = levels[line];
                _interruptSink?.Invoke(line, levels[line]);
            }
        }
    }

    private void ReadLevels(Span<bool> levels)
    {
        levels.Clear();
        foreach (PciFunction? function in _functions)
        {
            if (function is { DrivesInterrupt: true })
                levels[LineOf(function.DeviceNumber, function.Identity.InterruptPin)] = true;
        }
    }

    private static uint Ones(int size) => uint.MaxValue >> (32 - 8 * size);

    private static void CheckAccess(int offset, int size)
    {
        if (size is not (1 or 2 or 4) || offset < 0 || (offset & 3) + size > 4 || offset >= PciFunction.ConfigurationSize)
            throw new ArgumentOutOfRangeException(nameof(offset), $"No configuration access has {size} bytes at offset {offset}.");
    }

    private IDisposable? Register(PciBar bar, ulong address, PciIdentity identity)
    {
        string name = $"PCI {identity.VendorId:X4}:{identity.DeviceId:X4} window {bar.Index}";
        return bar.Kind == PciBarKind.Io
            ? _ports.TryRegister((ushort)address, (int)bar.Size, new PciPortWindow((ushort)address, bar.Size, bar.Target), name)
            : _mmio.TryRegister(address, bar.Size, bar.Target, name);
    }

    private bool TryGetTarget(ushort port, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PciFunction? function, out int offset)
    {
        offset = (int)(_address & 0xFC) | (port & 3);
        bool isBusZero = (_address & Enabled) != 0 && (_address & 0xFF_0000) == 0;
        function = isBusZero ? _functions[(_address >> 8) & 0xFF] : null;
        return function is not null;
    }
}
