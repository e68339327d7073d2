using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

// Breakpoints and watchpoints of the host's debugger. With breakpoints, code is decoded for a mode of its own, in which blocks end before
// every page offset that a breakpoint has in any page, and such offsets are never linked: every way to a breakpoint passes the dispatcher.
// Pages with a watched byte have no entries in the soft TLB; an access that hits inside a block stops before anything is committed and the
// instruction is run again alone.
public abstract unsafe partial class ProcessorCore
{
    private ulong[] _hostBreakpoints = [];
    private ulong[]? _hostBreakpointOffsets;
    private HostWatchpoint[] _hostWatchpoints = [];
    private bool _watchesData;
    private bool _runsOne;
    private bool _hostHit;
    private ulong _hostHitAddress;
    private bool _hostHitWrite;

    /// <summary>
    /// Sets what the host's debugger waits for. The processor is at rest.
    /// </summary>
    /// <param name="breakpoints">
    /// Linear addresses of instructions: <see cref="Execute"/> returns <see cref="RunResult.HostBreakpoint"/> before it runs one.
    /// </param>
    /// <param name="watchpoints">Accesses that <see cref="TryTakeHostHit"/> tells of once their instruction is complete.</param>
    public void SetHostPoints(ReadOnlySpan<ulong> breakpoints, ReadOnlySpan<HostWatchpoint> watchpoints)
    {
        if (!breakpoints.SequenceEqual(_hostBreakpoints))
        {
            _hostBreakpoints = breakpoints.ToArray();
            _hostBreakpointOffsets = null;
            if (breakpoints.Length != 0)
            {
                _hostBreakpointOffsets = new ulong[CodePageBytes / 64];
                foreach (ulong address in breakpoints)
                    _hostBreakpointOffsets[(address & (CodePageBytes - 1)) >> 6] |= 1UL << (int)(address & 63);
            }
            _code.Clear();
            ForgetJumps();
            UpdateMode();
        }
        if (!watchpoints.SequenceEqual(_hostWatchpoints))
        {
            _hostWatchpoints = watchpoints.ToArray();
            _watchesData = HasDataBreakpoints || _hostWatchpoints.Length != 0;
            _hostHit = false;
            FlushTlb();
        }
    }

    /// <summary>
    /// A completed instruction, or the delivery of an event, hit a watchpoint of <see cref="SetHostPoints"/> and
    /// <see cref="TryTakeHostHit"/> has not told of it.
    /// </summary>
    public bool HasHostHit => _hostHit;

    /// <summary>The watchpoint hit since the last call, the first where there were several.</summary>
    /// <param name="address">The first watched byte that was accessed.</param>
    /// <param name="write">It was stored to.</param>
    public bool TryTakeHostHit(out ulong address, out bool write)
    {
        address = _hostHitAddress;
        write = _hostHitWrite;
        bool hit = _hostHit;
        _hostHit = false;
        return hit;
    }

    private const int CodePageBytes = 4096;

    // Code at the page offset of a breakpoint may be entered at the breakpoint's own address another time: nothing is linked to it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsAtHostBreakpoint(out bool mayLink)
    {
        ulong linear = LinearRip(State->Rip);
        mayLink = _hostBreakpointOffsets is not { } offsets || (offsets[(linear & (CodePageBytes - 1)) >> 6] & (1UL << (int)(linear & 63))) == 0;
        bool isOffset = !mayLink;
#if VMM_MUTANTS
        mayLink |= Broken(Mutant.HostBreakpointLinked);
#endif
        return isOffset && Array.IndexOf(_hostBreakpoints, linear) >= 0;
    }

    // False: the access is made inside a block, whose other instructions must not follow.
    private bool NoteHostWatchpoints(ulong linear, int size, bool write)
    {
        foreach (HostWatchpoint watchpoint in _hostWatchpoints)
        {
            if ((watchpoint.WriteOnly && !write) || !Overlaps(watchpoint.Address, (ulong)watchpoint.Length, linear, (ulong)size))
                continue;
            if (!_runsOne)
            {
                Stopped = Outcome.Exclusive;
                return false;
            }
            if (!_hostHit || (write && !_hostHitWrite))
            {
                _hostHit = true;
                _hostHitAddress = Math.Max(linear, watchpoint.Address);
                _hostHitWrite = write;
            }
        }
        return true;
    }
}
