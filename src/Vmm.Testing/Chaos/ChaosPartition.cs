using System.Diagnostics;

namespace Vmm.Testing;

/// <summary>A partition whose interrupts come late and whose host is short of memory.</summary>
internal sealed class ChaosPartition : DecoratedPartition
{
    private readonly ChaosHypervisor _hypervisor;
    private readonly Random _memoryChoices;
    private readonly Random _interruptChoices;
    private readonly Lock _gate = new();
    private readonly int _seed;
    private ChaosWorker? _worker;
    private HeldSource? _source;
    private volatile bool _isDisposed;

    public ChaosPartition(ChaosHypervisor hypervisor, IPartition inner, int number)
        : base(hypervisor, inner)
    {
        _hypervisor = hypervisor;
        _seed = unchecked((hypervisor.Options.Seed * 1_000_003) + (number * 7919));
        _memoryChoices = new Random(_seed);
        _interruptChoices = new Random(_seed + 1);
        CountsInstructions = inner.Options.VirtualTime || inner.Options.InstructionBudget != 0;
    }

    public ChaosOptions Chaos => _hypervisor.Options;

    public ChaosHypervisor Counter => _hypervisor;

    /// <summary>Exits by the count of instructions look like cancels.</summary>
    public bool CountsInstructions { get; }

    public bool IsDisposed => _isDisposed;

    /// <summary>The thread that does what comes later.</summary>
    public ChaosWorker Worker
    {
        get
        {
            lock (_gate)
                return _worker ??= new ChaosWorker();
        }
    }

    public override IExternalInterruptSource? ExternalInterruptSource
    {
        get => _source?.Inner;
        set
        {
            _source = value is null ? null : new HeldSource(value);
            base.ExternalInterruptSource = _source;
        }
    }

    public override GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None)
    {
        Refuse("AllocateMemory", length);
        return base.AllocateMemory(length, options);
    }

    public override void RequestInterrupt(in InterruptRequest request)
    {
        bool maybe = request.Mode is InterruptDeliveryMode.Fixed or InterruptDeliveryMode.LowestPriority or InterruptDeliveryMode.NonMaskable;
        if (!maybe || Options.LocalApic == LocalApicMode.None || !TryDelay(out TimeSpan delay))
        {
            base.RequestInterrupt(in request);
            return;
        }
        InterruptRequest late = request;
        Worker.Later(delay, () => Inner.RequestInterrupt(in late));
    }

    public override void NotifyExternalInterrupt()
    {
        if (_source is not { IsHeld: false } source || !TryDelay(out TimeSpan delay))
        {
            base.NotifyExternalInterrupt();
            return;
        }
        source.Hold(delay);
        Worker.Later(delay, Inner.NotifyExternalInterrupt);
    }

    public override void Reset(bool keepMemory)
    {
        base.Reset(keepMemory);
        foreach (IVirtualProcessor processor in Processors)
            ((ChaosProcessor)processor).Recover();
    }

    /// <summary>Throws now and then in place of a call for memory.</summary>
    public void Refuse(string operation, ulong length)
    {
        lock (_gate)
        {
            if (_isDisposed || _memoryChoices.NextDouble() >= Chaos.RefusedMemory)
                return;
        }
        _hypervisor.CountRefusal();
        throw new HypervisorException(
            _hypervisor.Name, operation, ChaosHypervisor.AbortCode, $"0x{length:X} bytes", "The chaos decorator refused this on purpose: the same call may succeed next time.");
    }

    protected override ISecondLevelAddressTranslation Decorate(ISecondLevelAddressTranslation memory) => new ChaosMemory(this, memory);

    protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new ChaosProcessor(this, processor, _seed + 2 + processor.Index);

    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        base.Dispose(disposing);
        lock (_gate)
            _worker?.Dispose();
    }

    private bool TryDelay(out TimeSpan delay)
    {
        delay = default;
        if (_isDisposed || CountsInstructions || Chaos.LateInterrupts == 0)
            return false;
        lock (_gate)
        {
            if (_interruptChoices.NextDouble() >= Chaos.LateInterrupts)
                return false;
            delay = Chaos.LongestDelay * _interruptChoices.NextDouble();
        }
        _hypervisor.CountLateInterrupt();
        return true;
    }

    // An interrupt controller whose output is seen late.
    private sealed class HeldSource(IExternalInterruptSource inner) : IExternalInterruptSource
    {
        private long _until;

        public IExternalInterruptSource Inner { get; } = inner;

        public bool IsHeld => Stopwatch.GetTimestamp() < Volatile.Read(ref _until);

        public bool Asserted => !IsHeld && Inner.Asserted;

        public int Acknowledge() => Inner.Acknowledge();

        public void Hold(TimeSpan time) => Volatile.Write(ref _until, Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency));
    }
}
