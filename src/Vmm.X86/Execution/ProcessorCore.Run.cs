namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    /// <summary>Why the last run of operations ended: NextBlock or Branch (go on at RIP), Fault or Exit.</summary>
    internal Outcome RunStop { get; set; }

    /// <summary>A branch that waits for its target to be linked.</summary>
    internal DecodedOperation* LinkFrom { get; set; }

    /// <summary>
    /// The owner has something to deliver as soon as it can be: <see cref="Execute"/> then returns <see cref="RunResult.Boundary"/> after
    /// every
    /// instruction that may have made it possible.
    /// </summary>
    public bool WindowRequested { get; set; }

    /// <summary>Asks the processor to leave guest code at the next block boundary. Any thread may call it.</summary>
    /// <param name="bits">Reasons to add to <see cref="VcpuState.Kick"/>; the owner gives them meaning.</param>
    public void RequestKick(uint bits)
    {
        VcpuState* s = State;
        if (s == null)
            return;
        Interlocked.Or(ref s->Kick, bits);
        Volatile.Write(ref s->PollLimit, 0);
    }

    /// <summary>Takes reasons back.</summary>
    /// <returns>Those of them that were set.</returns>
    public uint ClearKick(uint bits) => Interlocked.And(ref State->Kick, ~bits) & bits;

    /// <summary>Runs guest code from the current state.</summary>
    /// <param name="budget">Most instructions to retire.</param>
    /// <param name="exact">The run stops exactly there; else at the end of the block in which that is.</param>
    /// <returns>Why it ended; never <see cref="RunResult.Done"/>.</returns>
    public RunResult Execute(ulong budget = ulong.MaxValue, bool exact = true)
    {
        VcpuState* s = State;
        ulong end = s->InstructionsRetired + budget;
        if (end < budget)
            end = ulong.MaxValue;
        ulong poll = exact ? end - BlockDecoder.MaximumInstructions : end;
        if (HasAnswers)
        {
            RunResult replayed = ExecuteOne();
            if (replayed != RunResult.Done)
                return replayed;
        }
        _request.Kind = ExternalRequestKind.None;
        DecodedOperation* linkFrom = null;
        while (true)
        {
            if (_workPending)
            {
                DoPendingWork();
                linkFrom = null;
            }
            if (s->Activity != Activity.Running)
                return RunResult.Idle;
            if (s->Kick != 0)
                return RunResult.Kick;
            ulong retired = s->InstructionsRetired;
            if (retired >= end)
                return RunResult.Budget;
            if ((s->Mode & ExecutionMode.HostBreakpoints) != 0)
            {
                if (IsAtHostBreakpoint(out bool mayLink))
                    return RunResult.HostBreakpoint;
                if (!mayLink)
                    linkFrom = null;
            }
            if ((exact && end - retired <= BlockDecoder.MaximumInstructions) || HoldsBack(s->Shadow) || (s->Mode & ExecutionMode.SingleStep) != 0)
            {
                RunResult one = ExecuteOne();
                if (one != RunResult.Done)
                    return one;
                linkFrom = null;
                continue;
            }
            if (s->PollLimit != poll)
            {
                Volatile.Write(ref s->PollLimit, poll);
                Interlocked.MemoryBarrier();
                if (s->Kick != 0 || _workPending)
                    continue;
            }
            int generation = _code.Generation;
            DecodedOperation* entry = FindCode(out Block* block);
            if (entry == null)
            {
                if (RunStop != Outcome.Repeat)
                    return RunStop == Outcome.Fault ? RunResult.Fault : RunResult.Exit;
                RunResult one = ExecuteOne();
                if (one != RunResult.Done)
                    return one;
                linkFrom = null;
                continue;
            }
            if (linkFrom != null && !_workPending && generation == _code.Generation && block->SecondPage == ulong.MaxValue)
                linkFrom->Immediate = (ulong)entry;
            InterruptShadow shadow = s->Shadow;
            s->Shadow = InterruptShadow.None; // the first instruction retires before anything is looked at
            if (!EnterGuest(entry))
            {
                s->Shadow = shadow;
                continue;
            }
            linkFrom = LinkFrom;
            switch (RunStop)
            {
                case Outcome.NextBlock:
                    break;
                case Outcome.Exclusive:
                    if (s->InstructionsRetired == retired)
                        s->Shadow = shadow;
                    RunResult alone = ExecuteOne();
                    if (alone != RunResult.Done)
                        return alone;
                    linkFrom = null;
                    break;
                case Outcome.Fault or Outcome.Exit:
                    if (s->InstructionsRetired == retired)
                        s->Shadow = shadow; // the instruction it covers is still to come
                    return RunStop == Outcome.Fault ? RunResult.Fault : RunResult.Exit;
                default:
                    RunResult result = AfterEvent();
                    if (result != RunResult.Done)
                        return result;
                    break;
            }
        }
    }

    /// <summary>
    /// Runs exactly one instruction (of a string instruction perhaps only a part) from the current state, decoding it anew. This is the
    /// instruction assist, and how an instruction with answers is finished.
    /// </summary>
    public RunResult ExecuteOne()
    {
        _runsOne = true;
        RunResult result = ExecuteAlone();
        _runsOne = false;
        bool isIncomplete = result is RunResult.Fault or RunResult.Exit;
#if VMM_MUTANTS
        isIncomplete &= !Broken(Mutant.HostWatchpointHitByFault);
#endif
        if (isIncomplete)
            _hostHit = false;
        return _hostHit && result == RunResult.Done ? RunResult.Boundary : result;
    }

    private RunResult ExecuteAlone()
    {
        VcpuState* s = State;
        if (_workPending)
            DoPendingWork();
        InterruptShadow shadow = s->Shadow;
        bool trap = (s->FlagsSystem & LazyFlags.Tf) != 0;
        bool stepping = (s->Mode & ExecutionMode.SingleStep) != 0;
        ulong start = s->Rip;
        _request.Kind = ExternalRequestKind.None;
        RewindAnswers();
        if (stepping && BeginStep())
            return RunResult.Fault;
        DecodedOperation* operation = DecodeOne();
        if (operation == null)
            return RunStop == Outcome.Fault ? RunResult.Fault : RunResult.Exit;
        Volatile.Write(ref s->PollLimit, 0); // whatever it jumps to is not entered
        while (!EnterGuest(operation))
            DoPendingWork();
        if (RunStop == Outcome.Exclusive)
            RunAlone(operation);
        LinkFrom = null;
        if (RunStop == Outcome.Exit)
            return RunResult.Exit;
        ClearAnswers();
        if (RunStop == Outcome.Fault)
            return RunResult.Fault;
        if (shadow != InterruptShadow.None && s->Shadow == shadow)
            s->Shadow = InterruptShadow.None;
        if (stepping)
            FinishStep(trap, s->Rip == start);
        return AfterEvent();
    }

    /// <summary>
    /// Whether the next instruction must be run by itself because something held off by a shadow waits to be delivered behind it.
    /// </summary>
    private bool HoldsBack(InterruptShadow shadow) =>
        shadow != InterruptShadow.None && (WindowRequested || shadow == InterruptShadow.MovSs || State->PendingDebugTrap != 0);

    /// <summary>What an instruction that may have changed the processor's surroundings leads to.</summary>
    private RunResult AfterEvent()
    {
        VcpuState* s = State;
        if (s->PendingDebugTrap != 0 && s->Shadow != InterruptShadow.MovSs)
            return RunResult.DebugTrap;
        if (s->Activity != Activity.Running)
            return RunResult.Idle;
        return WindowRequested || _request.Kind != ExternalRequestKind.None ? RunResult.Boundary : RunResult.Done;
    }
}
