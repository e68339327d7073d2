using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.X86.Execution;

public abstract unsafe partial class ProcessorCore
{
    private const int CacheLine = 64;
    private const uint PausesToYield = 64;
    private bool _isAlone;
    private uint _pauses;

    /// <summary>No other processor of the partition can see a step of the current instruction.</summary>
#if VMM_MUTANTS
    internal bool IsAlone => _isAlone || !CodeMap.HasSeveralProcessors || Broken(Mutant.SplitLockNotAtomic);
#else
    internal bool IsAlone => _isAlone || !CodeMap.HasSeveralProcessors;
#endif

    /// <summary>
    /// Whether the host makes a locked access of this size as one. On x86 hosts any inside a cache line: one that crosses lines would be
    /// carried out too, but by stopping every core of the host, which hosts may answer by slowing down or ending the process.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsAtomicOnHost(ulong address, int size) =>
        X86Base.IsSupported ? (address & (CacheLine - 1)) + (ulong)size <= CacheLine : (address & (ulong)(size - 1)) == 0;

    /// <summary>Stops the current instruction, to be run again while the processor is alone.</summary>
    /// <returns><see cref="Outcome.Exclusive"/>.</returns>
    internal Outcome StopForExclusive() => Stopped = Outcome.Exclusive;

    /// <summary><see cref="BeginModify"/> for a locked instruction. Null: stop.</summary>
    internal byte* BeginLocked(ulong linear, int size)
    {
        if (IsAtomicOnHost(linear, size) || IsAlone)
            return BeginModify(linear, size);
        StopForExclusive();
        return null;
    }

    /// <summary>
    /// PAUSE: a guest that waits for another of its processors now and then lets the host run that one, which may not have a core of its
    /// own.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void Relax()
    {
        if (++_pauses % PausesToYield == 0 && CodeMap.HasSeveralProcessors)
            Thread.Yield();
    }

    internal void RequestStandstill()
    {
        lock (_workLock)
            _workPending = true;
        Volatile.Write(ref State->PollLimit, 0);
    }

    internal void AwaitStandstill()
    {
        SpinWait spin = default;
        while (_inGuest)
            spin.SpinOnce();
    }

    /// <summary>Runs one operation while every other processor of the partition stands still.</summary>
    private void RunAlone(DecodedOperation* operation)
    {
        CodeMap.Exclusive.Enter(this, CodeMap.Processors);
        _isAlone = true;
        try
        {
            RewindAnswers();
            while (!EnterGuest(operation))
                DoPendingWork();
        }
        finally
        {
            _isAlone = false;
            CodeMap.Exclusive.Leave();
        }
    }
}
