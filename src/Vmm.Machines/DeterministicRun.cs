using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// One run of a deterministic machine: all processors in turn on one thread, each until its quantum of the machine's time is over or it waits; device timers
/// and host input come in between, at times that the guest's instructions alone decide.
/// </summary>
internal sealed class DeterministicRun : IMachineRun
{
    private const int StackSize = 16 << 20;

    private readonly Machine _machine;
    private readonly DeterministicInput _input;
    private readonly DrivenClock _clock;
    private readonly IVirtualTime _time;
    private readonly ulong _quantum;
    private readonly VirtualProcessorLoop[] _loops;
    private readonly Thread _thread;
    private readonly TaskCompletionSource<MachineOutcome> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private MachineOutcome? _outcome;
    private ulong _turnEnd;

    public DeterministicRun(Machine machine, DrivenClock clock, DeterministicInput input, int quantum)
    {
        _machine = machine;
        _clock = clock;
        _input = input;
        _quantum = (ulong)quantum;
        _time = machine.Partition.VirtualTime!;
        ViolatingWriteHandler? violatingWrite = machine.ViolatingWrite;
        _loops =
        [
            .. machine.Partition.Processors.Select(
                processor => new VirtualProcessorLoop(processor, machine.Ports, machine.Mmio) { ViolatingWrite = violatingWrite }),
        ];
        _thread = new Thread(Work, StackSize) { IsBackground = true, Name = "vmm processors" };
    }

    private bool HasEnded => Volatile.Read(ref _outcome) is not null;

    public async Task<MachineOutcome> RunAsync(CancellationToken cancellationToken)
    {
        foreach (VirtualProcessorLoop loop in _loops)
            loop.Processor.WithdrawCancel();
        _machine.Power.Requested += OnPower;
        _clock.Armed += SetLimit;
        try
        {
            if (_machine.Power.Pending is { } request)
                OnPower(request);
            using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
                static state => ((DeterministicRun)state!).End(new MachineOutcome(MachineOutcomeKind.Cancelled)), this);
            _thread.Start();
            return await _completion.Task.ConfigureAwait(false);
        }
        finally
        {
            _machine.Power.Requested -= OnPower;
            _clock.Armed -= SetLimit;
        }
    }

    public void Stop()
    {
        End(new MachineOutcome(MachineOutcomeKind.Cancelled));
        // A thread that starts after this finds the run ended and touches nothing.
        if (_thread != Thread.CurrentThread && !_thread.ThreadState.HasFlag(ThreadState.Unstarted))
            _thread.Join();
    }

    public void Dispose()
    {
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

    private void End(MachineOutcome outcome)
    {
        if (Interlocked.CompareExchange(ref _outcome, outcome, null) is not null)
            return;
        foreach (VirtualProcessorLoop loop in _loops)
            loop.Processor.Cancel();
        _input.Wake();
    }

    private void Work()
    {
        try
        {
            while (!HasEnded)
                RunRound();
            _completion.SetResult(_outcome!);
        }
        catch (ObjectDisposedException) when (HasEnded)
        {
            _completion.SetResult(_outcome!);
        }
#pragma warning disable CA1031 // whatever it is, it comes out of RunAsync
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _completion.SetException(exception);
        }
    }

    // Each processor's turn; when all wait, the time moves to what comes next. Input enters only here, so that a script can repeat it.
    private void RunRound()
    {
        _input.EnterDue(_machine.Serial, _clock.Nanoseconds);
        ulong before = _time.Nanoseconds;
        bool allWait = true;
        for (int index = 0; index < _loops.Length && !HasEnded; index++)
            allWait &= RunTurn(index);
        // One that ran may have sent an interrupt to one that waited before it.
        if (!allWait || HasEnded || _time.Nanoseconds != before)
            return;
        bool isOver = IsWaitingForever();
        if (!isOver && _time.Advance(NextEvent()) != ulong.MaxValue)
            return;
        if (isOver || !_machine.HasHostInput)
            End(new MachineOutcome(MachineOutcomeKind.AllHalted));
        else
            _input.WaitForHost(() => HasEnded);
    }

    // True: the processor waits.
    private bool RunTurn(int index)
    {
        _turnEnd = _time.Nanoseconds + _quantum;
        while (!HasEnded)
        {
            _clock.CallDue();
            if (_time.Nanoseconds >= _turnEnd)
                return false;
            SetLimit();
            VpExit exit = _loops[index].Run();
            switch (exit.Kind)
            {
                case ExitKind.Halt:
                    return true;
                case ExitKind.Cancelled or ExitKind.InterruptWindow:
                    break;
                case ExitKind.ApicEoi:
                    _machine.Interrupts.IoApic?.EndOfInterrupt(exit.ApicEoi.Vector);
                    break;
                case ExitKind.Shutdown:
                    End(new MachineOutcome(MachineOutcomeKind.TripleFault) { Processor = index, Exit = exit, RecentExits = _loops[index].RecentExits });
                    break;
                default:
                    End(new MachineOutcome(MachineOutcomeKind.Failed) { Processor = index, Exit = exit, RecentExits = _loops[index].RecentExits });
                    break;
            }
        }
        return false;
    }

    // Also while a device handles an exit: a timer that it arms may be due before the turn is over.
    private void SetLimit() => _time.Limit = Math.Min(_turnEnd, NextTimer);

    private ulong NextTimer => _clock.NextDeadline is { } deadline ? (ulong)deadline : ulong.MaxValue;

    private ulong NextEvent()
    {
        ulong input = _input.NextTime is { } time ? _time.Nanoseconds + (ulong)Math.Max(time - _clock.Nanoseconds, 0) : ulong.MaxValue;
        return Math.Min(NextTimer, input);
    }

    private bool IsWaitingForever() =>
        Array.TrueForAll(_loops, loop => HaltWatch.IsWaitingForever(loop.Processor, _machine.HasHostInput || _clock.HasArmedTimers || _machine.Interrupts.Pic.Asserted));
}
