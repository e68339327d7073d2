namespace Vmm.Machines;

/// <summary>One run of a machine: a thread for each processor, and the outcome that the first of them, or someone else, decides.</summary>
internal sealed class MachineRun : MachineRunBase
{
    // An event that a client injects into a halted processor is found at the latest after this.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMilliseconds(20);

    private readonly IProcessorController? _controller;
    private readonly HaltWatch? _haltWatch;
    private readonly object _wakeGate = new();
    private readonly Lock _startGate = new();
    private readonly Thread[] _threads;
    private Exception? _exception;
    private int _running;
    private bool _isWoken;

    public MachineRun(Machine machine)
        : base(machine)
    {
        _controller = machine.Controller;
        _threads = [.. Enumerable.Range(0, Loops.Length).Select(NewThread)];
        bool waitsInside = machine.Partition.Options.LocalApic != LocalApicMode.None;
        if (waitsInside && machine.Partition.Capabilities.Has(Capability.EventState))
            _haltWatch = new HaltWatch(Loops, MayBeInterrupted, () => End(new MachineOutcome(MachineOutcomeKind.AllHalted)));
    }

    public override void Dispose() => _haltWatch?.Dispose();

    protected override void Connect() => Machine.Interrupts.Pic.Changed += Wake;

    protected override void Disconnect() => Machine.Interrupts.Pic.Changed -= Wake;

    protected override void Start()
    {
        _running = _threads.Length;
        _controller?.Begin();
        if (HasEnded)
            _controller?.End();
        lock (_startGate)
        {
            foreach (Thread thread in _threads)
                thread.Start();
        }
        _haltWatch?.Start();
    }

    protected override void Join()
    {
        bool areStarted;
        lock (_startGate)
            areStarted = !_threads[^1].ThreadState.HasFlag(ThreadState.Unstarted);
        foreach (Thread thread in areStarted ? _threads : [])
        {
            if (thread != Thread.CurrentThread)
                thread.Join();
        }
    }

    protected override void OnEnded()
    {
        _controller?.End();
        _haltWatch?.Release();
        Wake();
    }

    // Timers first: once none is armed or being called back, the interrupt controller's output changes only by the guest or by input.
    private bool MayBeInterrupted() => Machine.Clock.HasArmedTimers || Machine.HasHostInput || Machine.Interrupts.Pic.Asserted;

    private Thread NewThread(int index) =>
        new(() => Work(index), StackSize) { IsBackground = true, Name = $"vmm processor {index}" };

    private void Wake()
    {
        lock (_wakeGate)
        {
            _isWoken = true;
            Monitor.Pulse(_wakeGate);
        }
    }

    private void Work(int index)
    {
        try
        {
            while (!HasEnded)
                Take(index, _controller is null ? Loops[index].Run() : _controller.Run(Loops[index]));
        }
        catch (ObjectDisposedException) when (HasEnded)
        {
            // The partition was disposed under the run, which has its outcome.
        }
#pragma warning disable CA1031 // whatever it is, it comes out of RunAsync
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _exception, exception, null);
            End(new MachineOutcome(MachineOutcomeKind.Failed) { Processor = index });
        }
        if (Interlocked.Decrement(ref _running) == 0)
            Complete();
    }

    private void Complete()
    {
        if ((_exception ?? Machine.ClockFault) is { } exception)
            Completion.SetException(exception);
        else
            Completion.SetResult(Outcome!);
    }

    private void Take(int index, in VpExit exit)
    {
        if (exit.Kind == ExitKind.Halt)
            WaitHalted(index);
        else if (exit.Kind != ExitKind.Cancelled)
            Handle(index, in exit);
        else if (!HasEnded)
            _haltWatch?.Arrive(index);
    }

    // A halt that exits: the backend has no local APIC, so this is the only processor.
    private void WaitHalted(int index)
    {
        if (Loops.Length == 1)
        {
            IVirtualProcessor processor = Loops[index].Processor;
            if (HaltWatch.IsWaitingForever(processor) || (!MayBeInterrupted() && !HaltWatch.HasEvent(processor)))
            {
                End(new MachineOutcome(MachineOutcomeKind.AllHalted));
                return;
            }
            if (Machine.Interrupts.Pic.Asserted)
                return;
        }
        lock (_wakeGate)
        {
            if (!_isWoken)
                Monitor.Wait(_wakeGate, s_longestWait);
            _isWoken = false;
        }
    }
}
