using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private bool _handlerEntered;

    /// <summary>DR7 enables at least one instruction breakpoint (see <see cref="CheckCodeBreakpoint"/>).</summary>
    public bool HasCodeBreakpoints { get; private set; }

    /// <summary>DR7 enables at least one data or I/O breakpoint.</summary>
    public bool HasDataBreakpoints { get; private set; }

    /// <summary>
    /// Instructions must run one at a time: TF or RF is set, or DR7 enables a breakpoint. <see cref="UpdateMode"/> puts it in
    /// <see cref="ExecutionMode.SingleStep"/>.
    /// </summary>
    private bool MustStep => (State->FlagsSystem & (LazyFlags.Tf | LazyFlags.Rf)) != 0 || HasCodeBreakpoints || HasDataBreakpoints;

    /// <summary>
    /// Recomputes what DR7 enables. Must follow every change of DR0 to DR3, DR7 or CR4.DE that does not go through an instruction;
    /// <see cref="UpdateMode"/> must follow it.
    /// </summary>
    public void UpdateBreakpoints()
    {
        bool code = false, data = false;
        uint control = (uint)State->Debug[7];
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) == 0)
                continue;
            if (BreakpointKind(control, i) == 0)
                code = true;
            else
                data = true;
        }
        HasCodeBreakpoints = code;
        HasDataBreakpoints = data;
        _watchesData = data || _hostWatchpoints.Length != 0;
        if (data)
            FlushTlb(); // pages with a watched byte must take the slow path
    }

    /// <summary>
    /// Whether an instruction breakpoint is hit at <see cref="VcpuState.Rip"/> (SDM Vol. 3B 18.3.1.1). True: #DB is recorded as a fault and
    /// must be delivered instead of running the instruction. RF suppresses it once.
    /// </summary>
    public bool CheckCodeBreakpoint()
    {
        VcpuState* s = State;
        if (!HasCodeBreakpoints || (s->FlagsSystem & LazyFlags.Rf) != 0 || s->Shadow == InterruptShadow.MovSs)
            return false;
        uint control = (uint)s->Debug[7], hits = 0;
        ulong linear = Is64Bit ? s->Rip : (uint)(s->Segments[SegmentIndex.Cs].Base + s->Rip);
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) != 0 && BreakpointKind(control, i) == 0 && s->Debug[i] == linear)
                hits |= 1U << i;
        }
        if (hits == 0)
            return false;
        RaiseDebug(hits);
        return true;
    }

    /// <summary>The instruction that runs cleared TF on its way into a handler: no single-step trap follows it.</summary>
    internal void SuppressStepTrap() => _handlerEntered = true;

    /// <summary>Begins an instruction that runs alone. True: an instruction breakpoint is hit, #DB is recorded instead.</summary>
    internal bool BeginStep()
    {
        _keepResumeFlag = false;
        _handlerEntered = false;
        return CheckCodeBreakpoint();
    }

    /// <summary>
    /// Ends an instruction that ran alone: RF is cleared unless the instruction itself loaded it, and the single-step trap joins
    /// <see cref="VcpuState.PendingDebugTrap"/>.
    /// </summary>
    /// <param name="trap">TF was set when the instruction began.</param>
    /// <param name="repeats">It is a string instruction that goes on: RF stays for its other elements.</param>
    internal void FinishStep(bool trap, bool repeats)
    {
        VcpuState* s = State;
        if (!_keepResumeFlag && !repeats && (s->FlagsSystem & LazyFlags.Rf) != 0)
        {
            s->FlagsSystem &= ~LazyFlags.Rf;
            UpdateMode();
        }
        // INT n, and SYSCALL where its mask has TF, clear TF, and no trap follows them. After MOV SS the trap is lost, that of the next
        // instruction comes.
        if (trap && !_handlerEntered && s->Shadow != InterruptShadow.MovSs)
            s->PendingDebugTrap |= DebugBits.StatusSingleStep;
#if VMM_MUTANTS
        if (Broken(Mutant.StepBitMissing) && s->PendingDebugTrap == DebugBits.StatusSingleStep)
            s->PendingDebugTrap = 1;
#endif
    }

    /// <summary>Records #DB as a fault with bits for DR6.</summary>
    internal Outcome RaiseDebug(uint bits)
    {
        State->Fault = new PendingFault { Vector = ExceptionVector.Debug, Payload = bits };
        return Stopped = Outcome.Fault;
    }

    /// <summary>A data access is made: watched bytes make a trap pending. False: stop, the instruction must run alone.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool NoteDataAccess(ulong linear, int size, bool write)
    {
        if (HasDataBreakpoints)
            NoteGuestWatchpoints(linear, size, write);
        return _hostWatchpoints.Length == 0 || NoteHostWatchpoints(linear, size, write);
    }

    private void NoteGuestWatchpoints(ulong linear, int size, bool write)
    {
        VcpuState* s = State;
        uint control = (uint)s->Debug[7];
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) == 0)
                continue;
            uint kind = BreakpointKind(control, i);
            if (kind is 0 or 2 || (kind == 1 && !write))
                continue;
            if (Overlaps(s->Debug[i], BreakpointLength(control, i), linear, (ulong)size))
                s->PendingDebugTrap |= 1U << i;
        }
    }

    private void NotePortAccess(ushort port, int size)
    {
        VcpuState* s = State;
        if (!HasDataBreakpoints || (s->Cr4 & Cr4Bits.DebuggingExtensions) == 0)
            return;
        uint control = (uint)s->Debug[7];
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) != 0 && BreakpointKind(control, i) == 2
                && Overlaps(s->Debug[i], BreakpointLength(control, i), port, (ulong)size))
                s->PendingDebugTrap |= 1U << i;
        }
    }

    /// <summary>Whether a page holds a watched byte, so that it may have no fast-path entry.</summary>
    private bool IsWatched(ulong linear)
    {
        foreach (HostWatchpoint watchpoint in _hostWatchpoints)
        {
            if ((watchpoint.Address >> 12) == (linear >> 12))
                return true;
        }
        VcpuState* s = State;
        uint control = (uint)s->Debug[7];
        for (int i = 0; i < 4; i++)
        {
            if ((control & (3U << (2 * i))) != 0 && BreakpointKind(control, i) is 1 or 3 && (s->Debug[i] >> 12) == (linear >> 12))
                return true;
        }
        return false;
    }

    private static uint BreakpointKind(uint control, int i) => (control >> (16 + (4 * i))) & 3;

    private static ulong BreakpointLength(uint control, int i) => ((control >> (18 + (4 * i))) & 3) switch { 0 => 1, 1 => 2, 2 =>
        8, _ => 4 };

    // The low address bits of a breakpoint count only above its length.
    private static bool Overlaps(ulong breakpoint, ulong length, ulong start, ulong size)
    {
        breakpoint &= ~(length - 1);
        return start < breakpoint + length && breakpoint < start + size;
    }
}
