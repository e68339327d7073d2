namespace Vmm.Emulator.Interrupts;

/// <summary>
/// A local APIC (SDM Vol. 3A chapter 11): xAPIC page and x2APIC MSRs, priorities, local vector table, timer, and inter-processor
/// interrupts over a <see cref="LocalApicBus"/>.
/// </summary>
/// <remarks>
/// The processor's own thread calls everything; any thread may call <see cref="Accept"/>, <see cref="Signal"/>,
/// <see cref="Matches"/> and <see cref="ArbitrationPriority"/>, which is how messages arrive. Nothing here throws for what a guest does.
/// </remarks>
internal sealed partial class LocalApic
{
    private readonly LocalApicOptions _options;
    private readonly ILocalApicHost _host;
    private readonly LocalApicTimer _timer;
    private VectorSet _request;
    private VectorSet _inService;
    private VectorSet _triggerMode;

    // Written by the processor's thread, read by senders.
    private volatile ApicMode _mode;
    private volatile uint _logicalDestination;
    private volatile uint _destinationFormat;
    private volatile uint _spuriousVector;
    private volatile uint _processorPriority;
    private uint _taskPriority;
    private ulong _base;

    /// <summary>Makes a local APIC in its power-on state.</summary>
    /// <param name="options">What is fixed about it.</param>
    /// <param name="host">Its processor.</param>
    /// <param name="bus">Where its messages go; it joins the bus.</param>
    public LocalApic(LocalApicOptions options, ILocalApicHost host, LocalApicBus bus)
    {
        _options = options;
        _host = host;
        Bus = bus;
        _timer = new LocalApicTimer(host, options.TimeStampCounterFrequency, options.TimerFrequency);
        ResetBase();
        ResetRegisters();
        bus.Join(this);
    }

    /// <summary>The initial APIC id.</summary>
    public uint Id => _options.Id;

    /// <summary>Where its messages go.</summary>
    public LocalApicBus Bus { get; }

    /// <summary>Mode: globally disabled, xAPIC or x2APIC.</summary>
    public ApicMode Mode => _mode;

    /// <summary>Globally enabled and enabled by software (SVR bit 8): takes vectors.</summary>
    public bool IsSoftwareEnabled => _mode != ApicMode.Disabled && (_spuriousVector & SoftwareEnable) != 0;

    /// <summary>
    /// Guest-physical page number of the registers in xAPIC mode; <see cref="ulong.MaxValue"/> when there is no such page.
    /// </summary>
    public ulong Page => _mode == ApicMode.XApic ? (_base & BaseAddressMask) >> 12 : ulong.MaxValue;

    /// <summary>CR8: bits 7:4 of the task priority.</summary>
    public uint Cr8
    {
        get => _taskPriority >> 4;
        set
        {
            _taskPriority = (value & 0xF) << 4;
            UpdatePriority();
        }
    }

    /// <summary>The state after power-up or RESET.</summary>
    public void Reset()
    {
        ResetBase();
        ResetRegisters();
        Interlocked.Exchange(ref _signals, 0);
        _host.OnDeadlineChanged();
    }

    /// <summary>
    /// The state after INIT: as after RESET, but IA32_APIC_BASE stays, and with it the mode and the id (SDM Vol. 3A 11.4.7.3).
    /// </summary>
    public void Init()
    {
        ResetRegisters();

        // A start-up interrupt that waits came after the INIT that is being carried out.
        Interlocked.And(ref _signals, (int)ApicSignals.Startup);
        _host.OnDeadlineChanged();
    }

    /// <summary>
    /// Does what a PC's firmware does before it starts an operating system on the bootstrap processor: enables the APIC by software, lets
    /// the external interrupt controller through LINT0 and NMI through LINT1 (virtual wire mode, MultiProcessor Specification 3.6.2.2).
    /// </summary>
    public void EnterVirtualWireMode()
    {
        _spuriousVector = SoftwareEnable | 0xF;
        _localVectors[Lint0Index] = (uint)ApicDeliveryMode.External << 8;
        _localVectors[Lint1Index] = (uint)ApicDeliveryMode.NonMaskable << 8;
    }

    private void ResetBase()
    {
        _base = DefaultBase | BaseEnable | (_options.IsBootstrap ? BaseBootstrap : 0);
        if (_options is { StartsInX2Apic: true, HasX2Apic: true })
            _base |= BaseX2Apic;
        _mode = ModeOf(_base);
    }

    private void ResetRegisters()
    {
        _request.Clear();
        _inService.Clear();
        _triggerMode.Clear();
        _taskPriority = 0;
        _processorPriority = 0;
        _destinationFormat = uint.MaxValue;
        _logicalDestination = _mode == ApicMode.X2Apic ? LogicalIdOf(Id) : 0;
        _spuriousVector = 0xFF;
        _command = 0;
        ResetLocalVectors();
        _timer.Reset();
        _deliverable = 0;
        Volatile.Write(ref _recheck, 1); // a message may have come in between
    }

    private static uint LogicalIdOf(uint id) => ((id >> 4) << 16) | (1u << (int)(id & 15));
}
