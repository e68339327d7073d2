using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// A small PC on any backend: RAM, 8259A interrupt controllers and, where there are local APICs, an I/O APIC, 8254 timer, real-time clock,
/// keyboard controller, one 16550A serial port at 0x3F8, PCI bus 0, virtio devices, reset ports, and an image to start from. Ports and
/// addresses without a device read all ones.
/// </summary>
/// <remarks>
/// Members may be called from any thread. One run at a time. <see cref="Dispose"/> ends a run first; called from a device on a
/// processor's own thread it does not wait for that thread.
/// </remarks>
public sealed partial class Machine : IAsyncDisposable, IDisposable
{
    private const ushort SerialPort = 0x3F8;

    private readonly Lock _gate = new();
    private readonly ILogger _logger;
    private readonly GuestMemory _memory;
    private readonly FirmwareParts? _firmware;
    private readonly PiixPowerManagement? _powerFunction;
    private readonly VirtioDevices _virtio;
    private readonly SystemClock? _ownClock;
    private readonly bool _hasHostInput;
    private MachineRunBase? _run;
    private IProcessorController? _controller;
    private bool _canRun = true;
    private bool _disposed;

    /// <summary>Builds a machine and loads its image; nothing runs yet.</summary>
    /// <param name="hypervisor">The backend.</param>
    /// <param name="options">What it is made of.</param>
    /// <exception cref="ImageLoadException">The image cannot be loaded.</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    /// <exception cref="NotSupportedException">The backend cannot do what an option asks for.</exception>
    /// <exception cref="HypervisorException">The backend refused.</exception>
    public Machine(IHypervisor hypervisor, MachineOptions options)
        : this(hypervisor, options, isRestoring: false)
    {
    }

    private Machine(IHypervisor hypervisor, MachineOptions options, bool isRestoring)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Image is null && options.Firmware is null && !isRestoring)
            throw new ArgumentException("A machine starts from an image or from firmware: set one of them.", nameof(options));
        if (options.Virtio is null)
            throw new ArgumentException("Virtio is null: leave it out for the devices that every machine has.", nameof(options));
        options.Virtio.RequireValid(options.Deterministic is not null);
        MemoryMap = new MemoryMap(options.MemorySize);
        _hasHostInput = options.HasSerialInput || options.HasHostEvents;
        Clock = NewClock(options);
        _ownClock = options.Clock is null ? Clock as SystemClock : null;
        _logger = (options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<Machine>();
        using Activity? activity = isRestoring ? null : MachineActivities.Boot(hypervisor.Name, options);
        try
        {
            Partition = hypervisor.CreatePartition(PartitionOptionsOf(hypervisor.Capabilities, options));
            _memory = Partition.AllocateMemory(MemoryMap.Size);
            Partition.Memory.Map(0, _memory, 0, MemoryMap.Low, GuestAccess.All);
            if (MemoryMap.High > 0)
                Partition.Memory.Map(MemoryMap.HighStart, _memory, MemoryMap.Low, MemoryMap.High, GuestAccess.All);
            if (options.Firmware is { } firmware)
                _firmware = new FirmwareParts(firmware, options.Image, Partition, MemoryMap, _memory);

            bool hasIoApic = Partition.Options.LocalApic != LocalApicMode.None;
            Interrupts = new InterruptRouter(new PicPair(), hasIoApic ? new IoApic(SendInterrupt) : null);
            Timer = new Pit(Clock, Interrupts.Connect(0));
            RealTimeClock = new RealTimeClock(Clock, Interrupts.Connect(8));
            RealTimeClock.SetMemorySize(MemoryMap.Low, MemoryMap.High);
            Serial = new Uart16550(SerialPort, Clock, Interrupts.Connect(4), options.SerialOutput ?? (static _ => { }));
            Display = new VgaTextDisplay(_memory);
            RegisterDevices(options.DebugExitPort);
            _virtio = new VirtioDevices(VirtioOf(options), new DeviceMemory(Partition.Memory), Clock);
            Pci = BuildPci(options.Virtio.Transport);
            if (options.HasAcpi)
            {
                PowerManagement = new AcpiPowerManagement(Clock, Interrupts.Connect(FixedTable.SystemControlInterrupt), Power);
                _powerFunction = Pci.AddPowerManagement(PowerManagement, _firmware is null ? AcpiPowerManagement.StandardPort : (ushort)0);
            }
            _firmware?.Register(Ports);
            Interrupts.Pic.Changed += Partition.NotifyExternalInterrupt;
            Partition.ExternalInterruptSource = Interrupts.Pic;
            AddSaveable();
            options.AddDevices?.Invoke(this);
            if (_firmware is null && !isRestoring)
                LoadImage(options);
            else if (_firmware is not null && options.HasAcpi)
                _firmware.AddTables(() => PlatformOf(options));
            MachineLog.Made(_logger, hypervisor.Name, MemoryMap.Size, options.ProcessorCount);
        }
        catch (Exception exception)
        {
            activity.Fail(exception);
            Free();
            throw;
        }
    }

    /// <summary>Where RAM is.</summary>
    public MemoryMap MemoryMap { get; }

    /// <summary>The partition.</summary>
    public IPartition Partition { get; }

    /// <summary>The port bus, for more devices.</summary>
    public PortBus Ports { get; } = new();

    /// <summary>The bus of memory-mapped devices, for more devices.</summary>
    public MmioBus Mmio { get; } = new();

    /// <summary>The devices' clock.</summary>
    public IMachineClock Clock { get; }

    /// <summary>The interrupt controllers, for more devices' lines.</summary>
    public InterruptRouter Interrupts { get; }

    /// <summary>The interval timer: ports 0x40-0x43 and 0x61, interrupt request 0.</summary>
    public Pit Timer { get; }

    /// <summary>The real-time clock: ports 0x70 and 0x71, interrupt request 8.</summary>
    public RealTimeClock RealTimeClock { get; }

    /// <summary>The serial port: ports 0x3F8-0x3FF, interrupt request 4. What is typed goes in here.</summary>
    public Uart16550 Serial { get; }

    /// <summary>The screen: text memory at 0xB8000, and a VGA's ports.</summary>
    public VgaTextDisplay Display { get; }

    /// <summary>PCI bus 0 and the bridges on it, for more functions.</summary>
    public PciChipset Pci { get; }

    /// <summary>The power-management registers of ACPI; null without <see cref="MachineOptions.HasAcpi"/>.</summary>
    public AcpiPowerManagement? PowerManagement { get; }

    /// <summary>The virtio console; null without <see cref="VirtioOptions.ConsoleOutput"/>.</summary>
    public VirtioConsole? VirtioConsole => _virtio.Console;

    /// <summary>The network card; null without <see cref="VirtioOptions.Network"/>.</summary>
    public VirtioNetwork? Network => _virtio.Network;

    /// <summary>Where devices, and the host, ask for a reset or power-off.</summary>
    public PowerControl Power { get; } = new();

    /// <summary>The memory-mapped virtio devices, which the ACPI tables tell of.</summary>
    internal IReadOnlyList<VirtioMmioWindow> VirtioWindows => _virtio.Windows;

    /// <summary>Whether the host may interrupt the guest at any time.</summary>
    internal bool HasHostInput => _hasHostInput || _virtio.HasInput;

    /// <summary>Takes writes to ROM; null = they are dropped.</summary>
    internal ViolatingWriteHandler? ViolatingWrite => FirmwareShadow is { } shadow ? shadow.OnViolatingWrite : null;

    /// <summary>Who decides between ROM and RAM below 1 MiB; null = there is no firmware.</summary>
    internal ShadowMemory? FirmwareShadow => _firmware?.Shadow;

    /// <summary>What went wrong in a timer's callback, if anything.</summary>
    internal Exception? ClockFault => _ownClock?.Fault;

    /// <summary>
    /// Decides when processors may be in guest code, as a debugger does; null = always. Set while the machine does not run.
    /// </summary>
    /// <exception cref="InvalidOperationException">The machine is running.</exception>
    /// <exception cref="NotSupportedException">
    /// The machine is deterministic: its processors take turns on one thread, which none may hold.
    /// </exception>
    public IProcessorController? Controller
    {
        get => _controller;
        set
        {
            lock (_gate)
            {
                if (_run is not null)
                    throw new InvalidOperationException("The machine is running.");
                if (value is not null && _deterministic is not null)
                    throw new NotSupportedException("The processors of a deterministic machine take turns on one thread: they cannot be held one by one.");
                _controller = value;
            }
        }
    }

    /// <summary>
    /// Stops the time of the devices and, where the backend can, of the processors, for as long as a client holds these out of guest code.
    /// A second call does nothing.
    /// </summary>
    public void SuspendTime()
    {
        lock (_gate)
        {
            if (_disposed || _isTimeSuspended)
                return;
            _isTimeSuspended = true;
            if (!_isTimeHeld)
                StopClocks();
        }
    }

    /// <summary>Undoes <see cref="SuspendTime"/>: time goes on where it stopped.</summary>
    public void ResumeTime()
    {
        lock (_gate)
        {
            if (_disposed || !_isTimeSuspended)
                return;
            _isTimeSuspended = false;
            if (!_isTimeHeld)
                StartClocks();
        }
    }

    /// <summary>Runs until the guest ends the run or the token does, each processor on a thread of its own.</summary>
    /// <param name="cancellationToken">Ends the run with <see cref="MachineOutcomeKind.Cancelled"/>; it may be run again then.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="InvalidOperationException">It is running, or has ended other than by cancellation.</exception>
    public MachineOutcome Run(CancellationToken cancellationToken = default) => RunAsync(cancellationToken).GetAwaiter().GetResult();

    /// <summary>As <see cref="Run"/>, without blocking the caller.</summary>
    /// <param name="cancellationToken">Ends the run with <see cref="MachineOutcomeKind.Cancelled"/>; it may be run again then.</param>
    /// <returns>How it ended; an exception out of a device comes out here.</returns>
    /// <exception cref="InvalidOperationException">It is running, or has ended other than by cancellation.</exception>
    public async Task<MachineOutcome> RunAsync(CancellationToken cancellationToken = default)
    {
        MachineRunBase run;
        TaskCompletionSource<MachineOutcome?> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_run is not null)
                throw new InvalidOperationException("The machine is running already: it has one run at a time.");
            if (!_canRun)
                throw new InvalidOperationException("The machine's run has ended: make a new machine to start again.");
            _run = run = NewRun();
            _runEnd = end;
            LetTimeGo();
        }
        string backend = Partition.Capabilities.Backend;
        MachineOutcome? outcome = null;
        MachineLog.RunStarted(_logger);
        MachineMeter.RunStarted(backend);
        try
        {
            outcome = await run.RunAsync(cancellationToken).ConfigureAwait(false);
            MachineLog.RunEnded(_logger, outcome);
            return outcome;
        }
        catch (Exception exception)
        {
            MachineLog.RunFailed(_logger, exception);
            throw;
        }
        finally
        {
            lock (_gate)
            {
                _run = null;
                _canRun = outcome is { Kind: MachineOutcomeKind.Cancelled };
            }
            run.Dispose();
            MachineMeter.RunEnded(backend, outcome?.Kind ?? MachineOutcomeKind.Failed);
            end.SetResult(outcome);
        }
    }

    /// <summary>Ends a run and frees everything.</summary>
    public void Dispose()
    {
        MachineRunBase? run;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            run = _run;
        }
        run?.Stop();
        Free();
    }

    /// <summary>Ends a run and frees everything.</summary>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    private static PartitionOptions PartitionOptionsOf(HypervisorCapabilities capabilities, MachineOptions options)
    {
        LocalApicMode localApic = options.LocalApic ?? (capabilities.Has(Capability.LocalApic) ? LocalApicMode.XApic : LocalApicMode.None);
        if (options.ProcessorCount > 1 && localApic == LocalApicMode.None)
            capabilities.Require(Capability.LocalApic);
        return new PartitionOptions
        {
            ProcessorCount = options.ProcessorCount,
            CpuProfile = options.CpuProfile,
            SlatFormat = options.SlatFormat,
            LocalApic = localApic,
            VirtualTime = options.Deterministic is not null,
        };
    }

    // The tables come first: an image that lies where they do is what was asked for.
    private void LoadImage(MachineOptions options)
    {
        PartitionMemory memory = new(Partition.Memory, MemoryMap) { AcpiRootPointer = options.HasAcpi ? FirmwareTables.RootPointer : 0 };
        if (options.HasAcpi)
            FirmwareTables.Write(memory, PlatformOf(options));
        options.Image!.Load(memory).ApplyTo(Partition.Processors[0]);
    }

    // Also of a machine that was not finished: what does not exist yet is null.
    private void Free()
    {
        if (Interrupts is not null)
            Interrupts.Pic.Changed -= Partition.NotifyExternalInterrupt;
        Timer?.Dispose();
        RealTimeClock?.Dispose();
        Serial?.Dispose();
        _virtio?.Dispose();
        PowerManagement?.Dispose();
        _ownClock?.Dispose();
        Partition?.Dispose();
        _firmware?.Dispose();
        _memory?.Dispose();
    }

    private AcpiPlatform PlatformOf(MachineOptions options)
    {
        CpuidResult version = (options.CpuProfile ?? CpuProfiles.V1).Find(1, 0)?.Value ?? default;
        return new AcpiPlatform
        {
            ProcessorCount = options.ProcessorCount,
            HasApics = Partition.Options.LocalApic != LocalApicMode.None,
            ProcessorSignature = version.Eax,
            ProcessorFeatures = version.Edx,
            PowerManagementPort = _powerFunction?.Address ?? AcpiPowerManagement.StandardPort,
            Pci = new AcpiPciBridge
            {
                MemoryStart = _firmware is null ? PciChipset.MemoryWindow : PciChipset.FirmwareMemoryWindow,
                MemoryEnd = _firmware is null ? PciChipset.MemoryWindowEnd : PciChipset.FirmwareMemoryWindowEnd,
                IsaRoutes = [.. Enumerable.Range(0, 4).Select(PciChipset.RouteOf)],
                LineOf = static (device, pin) => PciBus.LineOf(device, pin + 1),
            },
            VirtioWindows = VirtioWindows,
            HasVideo = true,
            Describe = options.DescribeDevices,
        };
    }

    private void SendInterrupt(in InterruptRequest request)
    {
        try
        {
            Partition.RequestInterrupt(in request);
        }
        catch (ObjectDisposedException)
        {
            // A device's last word while the machine goes away: nobody is there to be interrupted.
        }
    }

    private PciChipset BuildPci(VirtioTransportKind virtioTransport)
    {
        IInterruptLine[] directLines = Interrupts.LineCount > 19 ? [.. Enumerable.Range(16, 4).Select(Interrupts.Connect)] : [];
        PciChipset pci = new(Ports, Mmio, Interrupts.Connect, directLines);
        if (virtioTransport == VirtioTransportKind.Pci)
            _virtio.PlaceOn(pci.Bus, Interrupts.IoApic is null ? null : SendInterrupt);
        else
            _virtio.PlaceOn(Mmio, Interrupts);
        if (_firmware is { } firmware)
            pci.HostBridge.ShadowChanged += () => pci.HostBridge.CopyTo(firmware.Shadow);
        else
            pci.PrepareForSystem();
        return pci;
    }

    private void RegisterDevices(ushort? debugExitPort)
    {
        A20Gate a20 = new();
        KeyboardController keyboard = new(Interrupts.Connect(1), Power, a20);
        Ports.Register(0x20, 2, Interrupts.Pic, "interrupt controller");
        Ports.Register(0xA0, 2, Interrupts.Pic, "interrupt controller");
        Ports.Register(0x4D0, 2, Interrupts.Pic, "interrupt trigger control");
        Ports.Register(0x40, 4, Timer, "interval timer");
        Ports.Register(0x61, 1, Timer, "system control port B");
        Ports.Register(0x60, 1, keyboard, "keyboard controller");
        Ports.Register(0x64, 1, keyboard, "keyboard controller");
        Ports.Register(0x70, 2, RealTimeClock, "real-time clock");
        SystemControlPortA portA = new(Power, a20);
        ResetControl reset = new(Power);
        Ports.Register(0x92, 1, portA, "system control port A");
        Ports.Register(0xCF9, 1, reset, "reset control");
        Saveable.Add("keyboard", keyboard);
        Saveable.Add("a20-gate", a20);
        Saveable.Add("system-control-port-a", portA);
        Saveable.Add("reset-control", reset);
        Display.Register(Ports);
        Ports.Register(SerialPort, 8, Serial, "serial port");
        if (Interrupts.IoApic is { } ioApic)
            Mmio.Register(IoApic.StandardAddress, IoApic.Length, ioApic, "I/O APIC");
        if (debugExitPort is { } port)
            Ports.Register(port, 1, new DebugExitPort(Power), "debug-exit port");
    }
}
