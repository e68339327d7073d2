using System.Runtime.CompilerServices;

namespace Vmm;

/// <summary>
/// Base of a virtual processor: one runner at a time, the completion protocol, the cancel latch, the queue of injected events, counters. A
/// backend overrides the <c>…Core</c> members and never repeats these rules.
/// </summary>
public abstract partial class VirtualProcessorBase : IVirtualProcessor
{
    /// <summary>
    /// Owner while Inject, which any thread may call, looks at a processor at rest: whoever wants it waits instead of being refused.
    /// </summary>
    private static readonly Thread Glance = new(static () => { });

    private readonly PartitionBase _partition;
    private readonly ulong[] _exits = new ulong[(int)ExitKind.Failed + 1];
    private Thread? _owner; // who runs it or works on its registers
    private int _inGuest;
    private int _cancel;
    private PendingState _pending;
    private VpExit _pendingExit;
    private ExitKind _terminal;

    /// <summary>Makes a processor.</summary>
    protected VirtualProcessorBase(PartitionBase partition, int index)
    {
        ArgumentNullException.ThrowIfNull(partition);
        _partition = partition;
        Index = index;
    }

    private enum PendingState : byte
    {
        None,
        NeedsAnswer,
        Answered,
    }

    /// <inheritdoc/>
    public int Index { get; }

    /// <inheritdoc/>
    public IPartition Partition => _partition;

    /// <inheritdoc/>
    public bool IsPending => _pending != PendingState.None;

    /// <inheritdoc/>
    public ProcessorCounters Counters => new()
    {
        Exits = [.. _exits], Instructions = InstructionsRetiredCore, EventsDelivered = _eventsDelivered, AssistedInstructions = AssistedInstructionsCore,
    };

    /// <summary>Instructions retired, for the counters; 0 where the backend does not count.</summary>
    protected virtual ulong InstructionsRetiredCore => 0;

    /// <summary>Instructions that the platform left to the backend so far.</summary>
    protected virtual ulong AssistedInstructionsCore => 0;

    /// <summary>A thread runs guest code, or works on the processor's state: changes of the address space wait for it.</summary>
    internal bool IsInGuest => Volatile.Read(ref _inGuest) != 0;

    /// <summary>A thread has the processor, inside guest code or not.</summary>
    internal bool IsHeld => Volatile.Read(ref _owner) is not null;

    internal bool IsCurrentThread => Volatile.Read(ref _owner) == Thread.CurrentThread;

    internal bool IsCancelRequested => Volatile.Read(ref _cancel) != 0;

    /// <inheritdoc/>
    public VpExit Run()
    {
        BeginExclusive("run");
        try
        {
            if (_terminal != ExitKind.None)
                throw new InvalidOperationException($"Processor {Index} ended with {_terminal}: set its state or reset the partition before it runs again.");
            if (_pending == PendingState.NeedsAnswer)
                throw new InvalidOperationException($"Processor {Index} waits for an answer ({_pendingExit}): call {NameOfAnswer(_pendingExit.Kind)} before it runs on.");
            VpExit exit = RunUntilExit();
            _exits[(int)exit.Kind]++;
            if (exit.Kind != ExitKind.Cancelled)
                AfterExit(in exit);
            return exit;
        }
        finally
        {
            EndExclusive();
        }
    }

    /// <inheritdoc/>
    public CompletionStatus CompletePending(out VpExit exit)
    {
        BeginAtRest("complete");
        try
        {
            if (_pending == PendingState.None)
                throw new InvalidOperationException($"Processor {Index} has no pending instruction.");
            if (_pending == PendingState.NeedsAnswer)
                throw new InvalidOperationException($"Processor {Index} waits for the answer to {_pendingExit}: complete it first.");
            if (CompletePendingCore(out exit))
            {
                _pending = PendingState.None;
                exit = default;
                return CompletionStatus.Done;
            }
            _exits[(int)exit.Kind]++;
            AfterExit(in exit);
            return CompletionStatus.FurtherExit;
        }
        finally
        {
            EndAtRest();
        }
    }

    /// <inheritdoc/>
    public void CompleteRead(ulong value)
    {
        BeginExclusive("complete");
        try
        {
            bool read = _pending == PendingState.NeedsAnswer && _pendingExit.Kind switch
            {
                ExitKind.PortIo => !_pendingExit.PortIo.IsWrite,
                ExitKind.Mmio => !_pendingExit.Mmio.IsWrite,
                ExitKind.Msr => !_pendingExit.Msr.IsWrite,
                _ => false,
            };
            if (!read)
                throw NoSuchCompletion("a value read");
            CompleteReadCore(in _pendingExit, value);
            _pending = PendingState.Answered;
        }
        finally
        {
            EndExclusive();
        }
    }

    /// <inheritdoc/>
    public void CompleteCpuid(in CpuidResult result)
    {
        BeginExclusive("complete");
        try
        {
            if (_pending != PendingState.NeedsAnswer || _pendingExit.Kind != ExitKind.Cpuid)
                throw NoSuchCompletion("a CPUID result");
            CompleteCpuidCore(in result);
            _pending = PendingState.Answered;
        }
        finally
        {
            EndExclusive();
        }
    }

    /// <inheritdoc/>
    public void CompleteWithFault()
    {
        BeginExclusive("complete");
        try
        {
            if (_pending == PendingState.None || _pendingExit.Kind != ExitKind.Msr)
                throw NoSuchCompletion("a fault");
            CompleteWithFaultCore();
            _pending = PendingState.Answered;
        }
        finally
        {
            EndExclusive();
        }
    }

    /// <inheritdoc/>
    public void CompleteWrite(WriteResolution resolution)
    {
        if (resolution is not (WriteResolution.Discard or WriteResolution.Perform))
            throw new ArgumentOutOfRangeException(nameof(resolution), resolution, "Unknown resolution.");
        BeginExclusive("complete");
        try
        {
            if (_pending != PendingState.NeedsAnswer || _pendingExit.Kind != ExitKind.SlatViolation)
                throw NoSuchCompletion("a decision on a violating write");
            CompleteWriteCore(resolution);
            _pending = PendingState.Answered;
        }
        finally
        {
            EndExclusive();
        }
    }

    /// <inheritdoc/>
    public Span<byte> PendingData =>
        _pending != PendingState.None && _pendingExit.Kind == ExitKind.PortIo && _pendingExit.PortIo.IsString ? PendingDataCore : default;

    /// <inheritdoc/>
    public void Cancel()
    {
        Volatile.Write(ref _cancel, 1);
        Interlocked.MemoryBarrier();
        if (!_partition.IsDisposed)
            RequestExit();
        if (_partition.StopWanted)
            _partition.WakeGate();
    }

    /// <inheritdoc/>
    public bool WithdrawCancel() => Interlocked.Exchange(ref _cancel, 0) != 0;

    /// <summary>
    /// Makes the current or the next <see cref="RunCore"/> return soon, with <see cref="ExitKind.None"/> if nothing else happened. Any
    /// thread.
    /// </summary>
    protected abstract void RequestExitCore();

    /// <summary>
    /// Runs guest code until an exit. Finishes a completed pending instruction first. Returns <see cref="ExitKind.None"/> when it stopped
    /// only because of <see cref="RequestExitCore"/>. Must not throw for anything a guest does.
    /// </summary>
    protected abstract void RunCore(out VpExit exit);

    /// <summary>Finishes the pending instruction. True: done; false: a further exit of the same instruction.</summary>
    protected abstract bool CompletePendingCore(out VpExit exit);

    /// <summary>Takes the answer to a read.</summary>
    protected abstract void CompleteReadCore(in VpExit exit, ulong value);

    /// <summary>Takes the answer to a CPUID; called only where the capability is declared.</summary>
    protected virtual void CompleteCpuidCore(in CpuidResult result) => _partition.Capabilities.Require(Capability.CpuidExits);

    /// <summary>Takes the refusal of an MSR access; called only where the capability is declared.</summary>
    protected virtual void CompleteWithFaultCore() => _partition.Capabilities.Require(Capability.MsrExits);

    /// <summary>Takes the decision on a violating write.</summary>
    protected abstract void CompleteWriteCore(WriteResolution resolution);

    /// <summary>The buffer of a pending string port access.</summary>
    protected virtual Span<byte> PendingDataCore => default;

    internal void RequestExit() => RequestExitCore();

    /// <summary>Takes the processor for the calling thread.</summary>
    /// <exception cref="InvalidOperationException">Another thread has it.</exception>
    internal void BeginExclusive(string operation)
    {
        _partition.ThrowIfDisposed();
        Thread? other = Interlocked.CompareExchange(ref _owner, Thread.CurrentThread, null);
        SpinWait wait = default;
        while (other == Glance)
        {
            wait.SpinOnce();
            other = Interlocked.CompareExchange(ref _owner, Thread.CurrentThread, null);
        }
        if (other is not null)
        {
            string who = other.Name is { Length: > 0 } name ? $"'{name}' ({other.ManagedThreadId})" : $"{other.ManagedThreadId}";
            throw new InvalidOperationException($"Cannot {operation} processor {Index}: thread {who} is running it.");
        }
        if (_partition.IsDisposed)
        {
            EndExclusive();
            _partition.ThrowIfDisposed();
        }
    }

    internal void EndExclusive()
    {
        Interlocked.Exchange(ref _owner, null);
        if (_partition.IsDisposed)
            _partition.FreeIfLeft();
    }

    /// <summary>
    /// Takes the processor for the calling thread and keeps changes of the address space away. A client's pause does not keep it out: state
    /// is read and pending instructions are finished while paused.
    /// </summary>
    internal void BeginAtRest(string operation)
    {
        BeginExclusive(operation);
        while (true)
        {
            Interlocked.Exchange(ref _inGuest, 1);
            if (!_partition.ChangeWanted)
                return;
            LeaveGuest();
            _partition.WaitForChange();
            if (_partition.IsDisposed)
            {
                EndExclusive();
                _partition.ThrowIfDisposed();
            }
        }
    }

    internal void EndAtRest()
    {
        LeaveGuest();
        EndExclusive();
    }

    internal void AfterReset()
    {
        _pending = PendingState.None;
        _terminal = ExitKind.None;
        ClearEvents();
    }

    private VpExit RunUntilExit()
    {
        while (true)
        {
            EnterGuest();
            VpExit exit = default;
            try
            {
                if (IsCancelRequested && Interlocked.Exchange(ref _cancel, 0) != 0)
                    return new VpExit(ExitKind.Cancelled);
                if (_partition.StopWanted)
                    continue; // let in only for a cancel that was withdrawn meanwhile
                RunCore(out exit);
                _pending = PendingState.None; // it was finished first; AfterExit says what the new exit needs
            }
            finally
            {
                LeaveGuest();
            }
            if (exit.Kind != ExitKind.None)
                return exit;
            // It was asked out: by a cancel (seen above next time round), by a pause (EnterGuest waits), or by nothing any more.
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void EnterGuest()
    {
        while (true)
        {
            Interlocked.Exchange(ref _inGuest, 1);
            if (!_partition.StopWanted)
                return;
            LeaveGuest();
            _partition.ThrowIfDisposed();
            if (IsCancelRequested)
            {
                // A paused processor still answers a cancel, without entering guest code.
                Interlocked.Exchange(ref _inGuest, 1);
                return;
            }
            _partition.WaitAtGate(this);
            _partition.ThrowIfDisposed();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void LeaveGuest()
    {
        Interlocked.Exchange(ref _inGuest, 0);
        if (_partition.StopWanted)
            _partition.ProcessorLeft();
    }

    private void AfterExit(in VpExit exit)
    {
        _pending = PendingState.None;
        switch (exit.Kind)
        {
            case ExitKind.PortIo:
                _pending = exit.PortIo.IsWrite ? PendingState.Answered : PendingState.NeedsAnswer;
                break;
            case ExitKind.Mmio:
                _pending = exit.Mmio.IsWrite ? PendingState.Answered : PendingState.NeedsAnswer;
                break;
            case ExitKind.Msr:
                _pending = exit.Msr.IsWrite ? PendingState.Answered : PendingState.NeedsAnswer;
                break;
            case ExitKind.Cpuid:
                _pending = PendingState.NeedsAnswer;
                break;
            case ExitKind.SlatViolation:
                SlatViolationExit violation = exit.SlatViolation;
                if (violation.Access == GuestAccess.Write && !violation.PageWalk)
                    _pending = PendingState.NeedsAnswer;
                break;
            case ExitKind.Shutdown:
            case ExitKind.Failed:
                _terminal = exit.Kind;
                BackendLog.ProcessorStopped(_partition.Logger, _partition.Capabilities.Backend, Index, exit.Kind);
                break;
        }
        _pendingExit = exit;
    }

    private static string NameOfAnswer(ExitKind kind) => kind switch
    {
        ExitKind.Cpuid => nameof(CompleteCpuid),
        ExitKind.SlatViolation => nameof(CompleteWrite),
        ExitKind.Msr => $"{nameof(CompleteRead)} or {nameof(CompleteWithFault)}",
        _ => nameof(CompleteRead),
    };

    private InvalidOperationException NoSuchCompletion(string what) => new(
        _pending == PendingState.None
            ? $"Processor {Index} has no pending instruction that takes {what}."
            : $"Processor {Index} has a pending instruction ({_pendingExit}) that does not take {what}{(_pending == PendingState.Answered ? " (any more)" : "")}.");
}
