using Vmm.Emulator.Interrupts;
using Vmm.Emulator.Time;
using Vmm.X86.Execution;

namespace Vmm.Emulator;

/// <summary>A virtual processor of the emulator: the run loop around its core.</summary>
// SAFETY: the state block belongs to the core, which lives until the partition frees it, after the last run.
internal sealed unsafe partial class EmulatorVirtualProcessor : VirtualProcessorBase, IInterruptWindow, IDisposable
{
    private readonly EmulatorPartition _partition;
    private readonly uint _exceptionExits;
    private readonly ulong _budget;
    private readonly VirtualTime? _countedTime;
    private bool _pending; // the last exit's instruction is unfinished
    private bool _answered;

    public EmulatorVirtualProcessor(EmulatorPartition partition, int index)
        : base(partition, index)
    {
        _partition = partition;
        _exceptionExits = partition.Options.ExceptionExits;
        _budget = partition.Options.InstructionBudget;
        _countedTime = partition.CountedTime;
        Core = new EmulatedCore(partition, (uint)index);
        _timer = new Timer(static processor => ((EmulatorVirtualProcessor)processor!).NotifyTimer(), this, Timeout.Infinite, Timeout.Infinite);
        if (partition.Options.LocalApic != LocalApicMode.None)
            Core.AddApic(this, partition.Options.LocalApic, index == 0);
        Reset();
    }

    /// <summary>The core.</summary>
    public EmulatedCore Core { get; }

    /// <summary>Instructions retired; on the thread that runs the processor.</summary>
    public ulong InstructionsRetired => State == null ? 0 : State->InstructionsRetired;

    protected override ulong InstructionsRetiredCore
    {
        get
        {
            lock (_life)
                return _freed ? 0 : State->InstructionsRetired;
        }
    }

    protected override Interruptible InterruptibleCore
    {
        get
        {
            VcpuState* s = State;
            Interruptible now = Interruptible.None;
            if (_pending)
                return now;
#if VMM_MUTANTS
            if (Broken(Mutant.InterruptFlagIgnored))
                now |= Interruptible.Maskable;
#endif
            if ((s->FlagsSystem & LazyFlags.If) != 0 && s->Shadow == InterruptShadow.None)
                now |= Interruptible.Maskable;
            if (!s->NmiBlocked && s->Shadow != InterruptShadow.MovSs)
                now |= Interruptible.Nmi;
            return now;
        }
    }

    private VcpuState* State => Core.State;

    /// <inheritdoc/>
    public Interruptible Window { get; set; }

    /// <summary>Power-on state.</summary>
    public void Reset()
    {
        Core.ResetState(ResetKind.PowerOn);
        Core.ResetApic(Index == 0);
        if (Index != 0 && Core.Apic is not null)
            State->Activity = Activity.WaitForSipi;
        _endedInterrupts.Clear();
        _anyEndedInterrupt = false;
        _pending = _answered = _hasStepped = false;
    }

    /// <summary>Frees the core.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        lock (_life)
        {
            _freed = true;
            Core.Dispose();
        }
    }

    protected override void RequestExitCore() => Kick(KickReason.Exit);

    protected override void NotifyEventCore() => Kick(KickReason.Event);

    protected override void RunCore(out VpExit exit)
    {
        if (_pending)
        {
            if (!FinishPending(out exit))
                return;
            NoteStep(RunResult.Done);
        }
        ulong end = _budget == 0 ? ulong.MaxValue : State->InstructionsRetired + _budget;
        while (true)
        {
            uint kick = Interlocked.Exchange(ref State->Kick, 0);
            if ((kick & KickReason.Exit) != 0)
            {
                Core.RequestKick(kick & ~KickReason.Exit); // the rest is for the next run
                // An EOI that is not reported yet goes first: state that is saved now does not hold it.
                exit = default;
                if (_anyEndedInterrupt)
                    TakeEndOfInterrupt(out exit);
                return;
            }
            if (((kick & KickReason.Timer) != 0 || _countedTime is not null) && Core.Apic is not null)
                PollTimer();
            if (!Settle(out exit))
                return;
            if (State->InstructionsRetired >= end)
            {
                exit = new VpExit(ExitKind.Cancelled, State->Rip);
                return;
            }
            ulong allowed = end - State->InstructionsRetired;
            if (_countedTime is not null && !TryAllow(ref allowed))
            {
                exit = new VpExit(ExitKind.Cancelled, State->Rip);
                return;
            }
            RunResult result = _steps ? Core.ExecuteOne() : Core.Execute(allowed, exact: true);
            NoteStep(result);
            if (!After(result, out exit))
                return;
            if (result == RunResult.Fault)
                _countedTime?.Tick();
            // A fault retires nothing: counted as an instruction, so that a guest that does nothing else comes to its budget's end.
            if (_budget != 0 && result == RunResult.Fault)
                end--;
        }
    }

    /// <summary>
    /// With counted time: bounds a run of guest code by the time's limit and the timer's deadline. False: the limit has come.
    /// </summary>
    private bool TryAllow(ref ulong allowed)
    {
        ulong now = _countedTime!.Nanoseconds;
        if (now >= _countedTime.Limit)
            return false;
        allowed = Math.Min(allowed, _countedTime.Limit - now);
        ulong deadline = Core.Apic?.NextDeadline ?? LocalApicTimer.Never;
        if (deadline != LocalApicTimer.Never)
            allowed = Math.Min(allowed, Math.Max(_partition.Clock.ToNanoseconds(deadline), now + 1) - now);
        return true;
    }

    /// <summary>Deals with what a run of guest code ended with. False: it is an exit.</summary>
    private bool After(RunResult result, out VpExit exit)
    {
        exit = default;
        switch (result)
        {
            case RunResult.Exit:
                exit = Translate(in Core.Request);
                return false;
            case RunResult.Fault when Intercepts(out exit):
                return false;
            case RunResult.Fault:
                Core.QueueFault();
                return true;
            case RunResult.DebugTrap when (_exceptionExits & (1U << ExceptionVector.Debug)) != 0:
                exit = new VpExit(new ExceptionExit { Vector = ExceptionVector.Debug, Payload = State->PendingDebugTrap }, State->Rip);
                State->PendingDebugTrap = 0;
                return false;
            case RunResult.DebugTrap:
                Core.QueueDebugTrap();
                return true;
            case RunResult.HostBreakpoint:
                exit = AtBreakpoint();
                return false;
            case RunResult.Boundary when Core.Request.Kind == ExternalRequestKind.Hypercall:
                Core.WithdrawRequest();
                exit = new VpExit(ExitKind.Hypercall, State->Rip);
                return false;
            default:
                return true;
        }
    }

    /// <summary>Delivers what is due before the next instruction. False: an exit instead.</summary>
    private bool Settle(out VpExit exit)
    {
        exit = default;
        while (true)
        {
            if (State->Event.Kind != EventKind.None)
            {
                bool isDebug = State->Event.Vector == ExceptionVector.Debug;
                Outcome outcome = Core.DeliverEvent();
                if (outcome == Outcome.Exit)
                {
                    exit = Translate(in Core.Request);
                    return false;
                }
                // What the frame's stores hit comes before the handler's first instruction; hit by #DB's own frame behind it, or that would
                // never end.
                if (!isDebug && State->PendingDebugTrap != 0 && State->Activity == Activity.Running)
                {
                    if (!After(RunResult.DebugTrap, out exit))
                        return false;
                    continue;
                }
            }
            if (State->Activity == Activity.Shutdown)
            {
                exit = new VpExit(ExitKind.Shutdown, State->Rip);
                return false;
            }
            if (_anyEndedInterrupt && TakeEndOfInterrupt(out exit))
                return false;
            if ((_hasStepped || Core.HasHostHit) && TakeDebugStop(out exit))
                return false;
            // A step is not led away into a handler.
            bool isOpen = !_steps || State->Activity != Activity.Running;
#if VMM_MUTANTS
            isOpen |= Broken(Mutant.HostStepInterrupted);
#endif
            if (isOpen && Core.Apic is not null && TakeApicSignals())
                continue;
            if (isOpen && State->Activity != Activity.WaitForSipi && TryTakeNext(out InjectedEvent taken))
            {
                State->Activity = Activity.Running;
                Core.QueueEvent(in taken);
                NoteStep(RunResult.Done);
                continue;
            }
            if (isOpen && Window != Interruptible.None && (InterruptibleCore & Window) != 0)
            {
                Window = Interruptible.None;
                exit = new VpExit(ExitKind.InterruptWindow, State->Rip);
                return false;
            }
            if (State->Activity == Activity.Running)
                return true;
            if (Core.Apic is null || _countedTime is not null)
            {
                exit = new VpExit(ExitKind.Halt, State->Rip);
                return false;
            }
            if (WaitForKick())
                return false;
        }
    }

    /// <summary>Takes the event to deliver now; notes whether one waits for a window.</summary>
    private bool TryTakeNext(out InjectedEvent taken)
    {
        Interruptible now = InterruptibleCore;
        int vector = Core.Apic?.PendingVector ?? 0;
        bool waiting = EventsWaiting;
        bool nmi = Core.Apic is { } apic && (apic.Signals & ApicSignals.NonMaskable) != 0;
        Core.WindowRequested = waiting || nmi || vector != 0 || Window != Interruptible.None;
        taken = default;
        if (!Core.WindowRequested)
            return false;
        // Injected exceptions and NMIs come before the APIC's vectors, these before what is maskable from outside.
        if (waiting && TryTakeEvent(vector == 0 ? now : now & ~Interruptible.Maskable, out taken))
            return true;
        if (vector == 0 || (now & Interruptible.Maskable) == 0)
            return false;
        taken = InjectedEvent.Interrupt(Core.Apic!.Acknowledge());
        return true;
    }

    private bool Intercepts(out VpExit exit)
    {
        exit = default;
        ref PendingFault fault = ref State->Fault;
        if (((_exceptionExits >> fault.Vector) & 1) == 0)
            return false;
        exit = new VpExit(
            new ExceptionExit { Vector = fault.Vector, HasErrorCode = fault.HasErrorCode, ErrorCode = fault.ErrorCode, Payload = fault.Payload }, State->Rip);
        return true;
    }
}
