namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const uint IdtBit = 2;

    /// <summary>An event waits in <see cref="VcpuState.Event"/>: queued, or its delivery stopped for something outside.</summary>
    public bool HasEvent => State->Event.Kind != EventKind.None;

    /// <summary>Queues an event for <see cref="DeliverEvent()"/>, at the boundary before <see cref="VcpuState.Rip"/>.</summary>
    /// <param name="kind">How it came about.</param>
    /// <param name="vector">Vector, 0 to 255.</param>
    /// <param name="errorCode">Error code, for the exceptions that have one; null otherwise.</param>
    /// <param name="payload">#PF: the value for CR2. #DB: bits to merge in DR6. Else ignored.</param>
    /// <param name="instructionLength">For software events, the bytes that the saved RIP is past <see cref="VcpuState.Rip"/>.</param>
    public void QueueEvent(EventKind kind, byte vector, uint? errorCode = null, ulong payload = 0, int instructionLength = 0)
    {
        ClearAnswers();
        State->Event = new PendingEvent
        {
            Kind = kind,
            Vector = vector,
            HasErrorCode = errorCode.HasValue,
            ErrorCode = errorCode.GetValueOrDefault(),
            Payload = payload,
            InstructionLength = (byte)instructionLength,
        };
    }

    /// <summary>Queues the exception that stopped an instruction with <see cref="Outcome.Fault"/>.</summary>
    public void QueueFault()
    {
        ClearAnswers();
        State->Event = FromFault(in State->Fault);
        State->PendingDebugTrap = 0; // the instruction did not complete
    }

    /// <summary>Queues the #DB that <see cref="VcpuState.PendingDebugTrap"/> asks for.</summary>
    public void QueueDebugTrap()
    {
        uint bits = State->PendingDebugTrap;
        State->PendingDebugTrap = 0;
        QueueEvent(EventKind.HardwareException, ExceptionVector.Debug, null, bits);
    }

    /// <summary>Queues an event and delivers it. Ends as <see cref="DeliverEvent()"/>.</summary>
    /// <inheritdoc cref="QueueEvent"/>
    public Outcome DeliverEvent(EventKind kind, byte vector, uint? errorCode = null, ulong payload = 0, int instructionLength = 0)
    {
        QueueEvent(kind, vector, errorCode, payload, instructionLength);
        return DeliverEvent();
    }

    /// <summary>Delivers <see cref="VcpuState.Event"/> (SDM Vol. 3A chapter 6), from its start or again after it stopped.</summary>
    /// <returns>
    /// <see cref="Outcome.Branch"/>: the handler's first instruction is next, a halted processor runs. <see cref="Outcome.NextBlock"/>: a
    /// triple fault, the activity is shutdown. <see cref="Outcome.Exit"/>: stopped for the outside (<see cref="Request"/>); the event stays
    /// queued, and once that is answered or withdrawn this is called again.
    /// </returns>
    public Outcome DeliverEvent()
    {
        BeginAccess();
        bool runsOne = _runsOne;
        _runsOne = true; // nothing follows it in a block
        try
        {
            return DeliverEventInside();
        }
        finally
        {
            _runsOne = runsOne;
            EndAccess();
        }
    }

    private Outcome DeliverEventInside()
    {
        VcpuState* s = State;
        RewindAnswers();
        while (true)
        {
            PendingEvent e = s->Event;
            ApplyPayload(s, in e);
            _externalEvent = e.Kind is EventKind.SoftwareInterrupt or EventKind.SoftwareException ? 0U : 1U;
            Outcome outcome = EnterHandler(in e);
            _externalEvent = 0;
            if (outcome == Outcome.Exit)
                return outcome;
            if (outcome == Outcome.Branch)
            {
                s->Event = default;
                s->Shadow = InterruptShadow.None;
                s->Activity = Activity.Running;
                if (e.Kind == EventKind.NonMaskableInterrupt)
                    s->NmiBlocked = true;
#if VMM_MUTANTS
                if (Broken(Mutant.NmiNotBlocked))
                    s->NmiBlocked = false;
#endif
                ClearAnswers();
                return outcome;
            }
            switch (ExceptionClass.Combine(e.Kind == EventKind.HardwareException ? e.Vector : -1, s->Fault.Vector))
            {
                case ExceptionCombination.Serial:
                    s->Event = FromFault(in s->Fault);
                    break;
                case ExceptionCombination.DoubleFault:
                    if (s->Fault.Vector == ExceptionVector.PageFault)
                        s->Cr2 = s->Fault.Payload;
                    s->Event = new PendingEvent { Kind = EventKind.HardwareException, Vector = ExceptionVector.DoubleFault,
                        HasErrorCode = true };
                    break;
                default:
                    s->Event = default;
                    s->Activity = Activity.Shutdown;
                    ClearAnswers();
                    return Outcome.NextBlock;
            }
            // The new event's accesses are not those that were answered.
            ClearAnswers();
        }
    }

    private static PendingEvent FromFault(in PendingFault fault) => new()
    {
        Kind = EventKind.HardwareException,
        Vector = fault.Vector,
        HasErrorCode = fault.HasErrorCode,
        ErrorCode = fault.ErrorCode,
        Payload = fault.Payload,
    };

    private static void ApplyPayload(VcpuState* s, in PendingEvent e)
    {
        if (e.Kind != EventKind.HardwareException)
            return;
        if (e.Vector == ExceptionVector.PageFault)
        {
            s->Cr2 = e.Payload;
        }
        else if (e.Vector == ExceptionVector.Debug)
        {
            s->Debug[6] = (s->Debug[6] & ~(ulong)DebugBits.StatusBreakpoints) | (e.Payload & DebugBits.StatusWritable);
            s->Debug[7] &= ~(ulong)DebugBits.ControlGeneralDetect;
        }
    }

    /// <summary>
    /// One attempt to enter an event's handler. <see cref="Outcome.Branch"/> when all is committed; a fault or an exit leaves every
    /// register as it was. INT n and its like call it as instructions: what they fault with belongs to the instruction.
    /// </summary>
    private Outcome EnterHandler(in PendingEvent e)
    {
        VcpuState* s = State;
        ulong flags = LazyFlags.Get(s);
        if (e.Kind == EventKind.HardwareException
            && (ExceptionClass.IsFault(e.Vector) || (e.Vector == ExceptionVector.Debug
            && (e.Payload & DebugBits.StatusDebugRegister) != 0)))
            flags |= LazyFlags.Rf;
        ulong returnRip = s->Rip + e.InstructionLength;
        if (!Is64Bit)
            returnRip = (s->Mode & ExecutionMode.CodeSizeMask) == ExecutionMode.Code16
                && !UsesDescriptors ? (ushort)returnRip : (uint)returnRip;
        if ((s->Mode & ExecutionMode.Protected) == 0)
            return EnterRealMode(e.Vector, flags, returnRip, TableLinear(s->Idtr.Base), s->Idtr.Limit);
        return IsLongMode ? EnterLongMode(in e, flags, returnRip) : EnterProtectedMode(in e, flags, returnRip);
    }

    /// <summary>A software event raised by an instruction of the given length.</summary>
    internal Outcome SoftwareEvent(EventKind kind, byte vector, int instructionLength)
    {
        PendingEvent e = new() { Kind = kind, Vector = vector, InstructionLength = (byte)instructionLength };
        _externalEvent = kind == EventKind.PrivilegedSoftwareException ? 1U : 0U;
        Outcome outcome = EnterHandler(in e);
        _externalEvent = 0;
        _handlerEntered = outcome == Outcome.Branch;
        return outcome;
    }

    private Outcome RaiseIdt(int vector, byte eventVector) => Raise(vector, ((uint)eventVector << 3) | IdtBit | _externalEvent);

    /// <summary>Through an interrupt vector table: real mode, and virtual-8086 interrupts that VME redirects to the program.</summary>
    private Outcome EnterRealMode(byte vector, ulong flags, ulong returnRip, ulong table, uint limit)
    {
        VcpuState* s = State;
        uint offset = vector * 4U;
        if (offset + 3 > limit)
            return RaiseIdt(ExceptionVector.GeneralProtection, vector);
        if (!ReadSystem(TableLinear(table + offset), out uint pointer))
            return Stopped;
        StackCursor stack = CurrentStack();
        if (!CheckParagraphTarget((ushort)pointer)
            || !Reserve(ref stack, 6)
            || !Push(ref stack, flags, 2)
            || !Push(ref stack, s->Segments[SegmentIndex.Cs].Selector, 2)
            || !Push(ref stack, returnRip, 2))
            return Stopped;
        CommitStackPointer(in stack);
        s->FlagsSystem &= ~(LazyFlags.Tf | LazyFlags.Ac | LazyFlags.Rf);
        bool virtualFlag = (s->FlagsSystem & LazyFlags.Vm) != 0 && (s->FlagsSystem & LazyFlags.Iopl) != LazyFlags.Iopl;
        s->FlagsSystem &= ~(virtualFlag ? LazyFlags.Vif : LazyFlags.If);
        return CommitParagraph((ushort)(pointer >> 16), (ushort)pointer);
    }
}
