using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>One run of a machine: a thread for each processor, and the outcome that the first of them, or someone else, decides.</summary>
internal sealed class MachineRun : IMachineRun
{
    private const int StackSize = 16 << 20;

    // An event that a client injects into a halted processor is found at the latest after this.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromMilliseconds(20);

    private readonly Machine _machine;
    private readonly VirtualProcessorLoop[] _loops;
    private readonly IProcessorController? _controller;
    private readonly HaltWatch? _haltWatch;
    private readonly object _wakeGate = new();
    private readonly Lock _startGate = new();
    private readonly Thread[] _threads;
    private readonly TaskCompletionSource<MachineOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MachineOutcome? _outcome;
    private Exception? _exception;
    private int _running;
    private bool _isWoken;

    public MachineRun(Machine machine)
    {
        _machine = machine;
        _controller = machine.Controller;
        IReadOnlyList<IVirtualProcessor> processors = machine.Partition.Processors;
        ViolatingWriteHandler? violatingWrite = machine.ViolatingWrite;
        _loops =
        [
            .. processors.Select(
                processor => new VirtualProcessorLoop(processor, machine.Ports, machine.Mmio) { ViolatingWrite = violatingWrite }),
        ];
        _threads = [.. Enumerable.Range(0, processors.Count).Select(NewThread)];
        bool waitsInside = machine.Partition.Options.LocalApic != LocalApicMode.None;
        if (waitsInside && machine.Partition.Capabilities.Has(Capability.EventState))
            _haltWatch = new HaltWatch(_loops, MayBeInterrupted, () => End(new MachineOutcome(MachineOutcomeKind.AllHalted)));
    }

    private bool HasEnded => Volatile.Read(ref _outcome) is not null;

    public async Task<MachineOutcome> RunAsync(CancellationToken cancellationToken)
    {
        foreach (VirtualProcessorLoop loop in _loops)
            loop.Processor.WithdrawCancel();
        _machine.Interrupts.Pic.Changed += Wake;
        _machine.Power.Requested += OnPower;
        try
        {
            if (_machine.Power.Pending is { } request)
                OnPower(request);
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static state => ((MachineRun)state!).End(new MachineOutcome(MachineOutcomeKind.Cancelled)), this);
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
            return await _completion.Task.ConfigureAwait(false);
        }
        finally
        {
            _machine.Power.Requested -= OnPower;
            _machine.Interrupts.Pic.Changed -= Wake;
        }
    }

    public void Dispose() => _haltWatch?.Dispose();

    /// <summary>Ends the run and waits for its threads, except the calling one.</summary>
    public void Stop()
    {
        End(new MachineOutcome(MachineOutcomeKind.Cancelled));
        // Threads that start after this find the run ended and touch nothing.
        bool areStarted;
        lock (_startGate)
            areStarted = !_threads[^1].ThreadState.HasFlag(ThreadState.Unstarted);
        foreach (Thread thread in areStarted ? _threads : [])
        {
            if (thread != Thread.CurrentThread)
                thread.Join();
        }
    }

    // Timers first: once none is armed or being called back, the interrupt controller's output changes only by the guest or by input.
    private bool MayBeInterrupted() => _machine.Clock.HasArmedTimers || _machine.HasHostInput || _machine.Interrupts.Pic.Asserted;

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

    private void OnPower(PowerEvent request)
    {
        MachineOutcomeKind kind = request.Kind switch
        {
            PowerEventKind.Reset => MachineOutcomeKind.Reset,
            PowerEventKind.PowerOff => MachineOutcomeKind.PoweredOff,
            _ => MachineOutcomeKind.DebugExit,
        };
        End(new MachineOutcome(kind) { Value = request.Value, Source = request.Source });
    }

    // The first outcome stands; every processor leaves the guest.
    private void End(MachineOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is not null)
            return;
        foreach (VirtualProcessorLoop loop in _loops)
            loop.Processor.Cancel();
        _controller?.End();
        _haltWatch?.Release();
        Wake();
    }

    private void Work(int index)
    {
        try
        {
            while (!HasEnded)
                Handle(index, _controller is null ? _loops[index].Run() : _controller.Run(_loops[index]));
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
        if ((_exception ?? _machine.ClockFault) is { } exception)
            _completion.SetException(exception);
        else
            _completion.SetResult(_outcome!);
    }

    private void Handle(int index, in VpExit exit)
    {
        switch (exit.Kind)
        {
            case ExitKind.Halt:
                WaitHalted(index);
                break;
            case ExitKind.Cancelled:
                if (!HasEnded)
                    _haltWatch?.Arrive(index);
                break;
            case ExitKind.ApicEoi:
                _machine.Interrupts.IoApic?.EndOfInterrupt(exit.ApicEoi.Vector);
                break;
            case ExitKind.InterruptWindow:
                break;
            case ExitKind.Shutdown:
                End(new MachineOutcome(MachineOutcomeKind.TripleFault) { Processor = index, Exit = exit, RecentExits = _loops[index].RecentExits });
                break;
            default:
                End(new MachineOutcome(MachineOutcomeKind.Failed) { Processor = index, Exit = exit, RecentExits = _loops[index].RecentExits });
                break;
        }
    }

    // A halt that exits: the backend has no local APIC, so this is the only processor.
    private void WaitHalted(int index)
    {
        if (_loops.Length == 1)
        {
            IVirtualProcessor processor = _loops[index].Processor;
            if (HaltWatch.IsWaitingForever(processor) || (!MayBeInterrupted() && !HaltWatch.HasEvent(processor)))
            {
                End(new MachineOutcome(MachineOutcomeKind.AllHalted));
                return;
            }
            if (_machine.Interrupts.Pic.Asserted)
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
