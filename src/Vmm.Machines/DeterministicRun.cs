using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// One run of a deterministic machine: all processors in turn on one thread, each until its quantum of the machine's time is over or it
/// waits; device timers and host input come in between, at times that the guest's instructions alone decide.
/// </summary>
internal sealed class DeterministicRun : MachineRunBase
{
    private readonly DeterministicInput _input;
    private readonly DrivenClock _clock;
    private readonly IVirtualTime _time;
    private readonly ulong _quantum;
    private readonly Thread _thread;
    private ulong _turnEnd;

    public DeterministicRun(Machine machine, DrivenClock clock, DeterministicInput input, int quantum)
        : base(machine)
    {
        _clock = clock;
        _input = input;
        _quantum = (ulong)quantum;
        _time = machine.Partition.VirtualTime!;
        _thread = new Thread(Work, StackSize) { IsBackground = true, Name = "vmm processors" };
    }

    public override void Dispose()
    {
    }

    protected override void Connect() => _clock.Armed += SetLimit;

    protected override void Disconnect() => _clock.Armed -= SetLimit;

    protected override void Start() => _thread.Start();

    protected override void Join()
    {
        if (_thread != Thread.CurrentThread && !_thread.ThreadState.HasFlag(ThreadState.Unstarted))
            _thread.Join();
    }

    protected override void OnEnded() => _input.Wake();

    private void Work()
    {
        try
        {
            while (!HasEnded)
                RunRound();
            Completion.SetResult(Outcome!);
        }
        catch (ObjectDisposedException) when (HasEnded)
        {
            Completion.SetResult(Outcome!);
        }
#pragma warning disable CA1031 // whatever it is, it comes out of RunAsync
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Completion.SetException(exception);
        }
    }

    // Each processor's turn; when all wait, the time moves to what comes next. Input enters only here, so that a script can repeat it.
    private void RunRound()
    {
        _input.EnterDue(Machine.Serial, _clock.Nanoseconds);
        ulong before = _time.Nanoseconds;
        bool allWait = true;
        for (int index = 0; index < Loops.Length && !HasEnded; index++)
            allWait &= RunTurn(index);
        // One that ran may have sent an interrupt to one that waited before it.
        if (!allWait || HasEnded || _time.Nanoseconds != before)
            return;
        bool isOver = IsWaitingForever();
        if (!isOver && _time.Advance(NextEvent()) != ulong.MaxValue)
            return;
        if (isOver || !Machine.HasHostInput)
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
            VpExit exit = Loops[index].Run();
            if (exit.Kind == ExitKind.Halt)
                return true;
            if (exit.Kind != ExitKind.Cancelled)
                Handle(index, in exit);
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
        Array.TrueForAll(Loops, loop => HaltWatch.IsWaitingForever(loop.Processor, Machine.HasHostInput || _clock.HasArmedTimers || Machine.Interrupts.Pic.Asserted));
}
