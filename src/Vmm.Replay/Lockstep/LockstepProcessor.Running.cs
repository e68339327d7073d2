namespace Vmm.Replay;

internal sealed partial class LockstepProcessor
{
    private readonly List<PendingAnswer> _answers = []; // of the exits since the last comparison, in order
    private readonly Lock _watch = new();
    private Timer? _watchdog;
    private bool _expired;
    private ProcessorSnapshot? _before; // at the last comparison; each backend's own, which it surely takes back
    private ProcessorSnapshot? _beforeOnSecond;
    private ulong _stretch;
    private ulong _begunAt; // counted time, or instructions
    private ulong _room; // how far the first backend might have run
    private int _exits; // since the last comparison
    private VpExit _firstExit;
    private VpExit _secondExit;
    private bool _isInternal; // the run ended only for a comparison
    private bool _isHeld; // the first backend has its exit, the second was cancelled on the way there
    private bool _behind; // only the first backend has run since
    private bool _wasInjected; // for the stretch to come
    private bool _hasInjected;

    private bool IsCounted => partition.Time is not null;

    private ulong Now => partition.First.VirtualTime?.Nanoseconds ?? first.Counters.Instructions;

    public VpExit Run()
    {
        if (partition.Divergence is not null)
            return Failure();
        if (first.IsPending)
        {
            if (!TryFinish(out VpExit further))
                return further;
        }
        while (true)
        {
            if (!_isHeld)
            {
                if (TakeCancel())
                    return new VpExit(ExitKind.Cancelled);
                if (!_behind)
                    Begin();
                VpExit exit = RunFirst(out _isInternal, out bool isCancelled);
                if (isCancelled && !IsCounted)
                {
                    _behind = true;
                    return exit;
                }
                _firstExit = exit;
            }
            _secondExit = RunSecond(_firstExit.Kind == ExitKind.Cancelled, out _isHeld);
            if (_isHeld)
                return new VpExit(ExitKind.Cancelled); // the second backend is on its way, and goes on with the next run
            _behind = false;
            if (_firstExit.Kind != ExitKind.Cancelled)
                _exits++;
            if (!SameExit(in _firstExit, in _secondExit) || (!first.IsPending && !IsSame()))
            {
                if (!Explain())
                    return Failure();
            }
            if (!_isInternal)
                return _firstExit;
        }
    }

    public CompletionStatus CompletePending(out VpExit exit)
    {
        if (partition.Divergence is null)
            return TryFinish(out exit) ? CompletionStatus.Done : CompletionStatus.FurtherExit;
        if (!first.IsPending)
            throw new InvalidOperationException($"Processor {Index} has no pending instruction.");
        exit = Failure();
        return CompletionStatus.FurtherExit;
    }

    /// <summary>Brings the second backend to where the first one is, uncompared, where the client has cancelled a run on the way.</summary>
    public void Align()
    {
        if (!_behind)
            return;
        _behind = false;
        partition.Uncompared++;
        partition.Mirror.CopyToSecond();
        Shared(ProcessorSnapshot.Capture(first), ProcessorSnapshot.Capture(second)).Apply(second);
    }

    public void AfterReset()
    {
        _behind = _wasInjected = _isHeld = false;
        _before = null;
    }

    // True: the pending instruction is finished, and both agree. False: another exit of it, or a divergence.
    private bool TryFinish(out VpExit further)
    {
        CompletionStatus one = first.CompletePending(out _firstExit);
        CompletionStatus two = CompletionStatus.Done;
        _secondExit = default;
        if (second.IsPending)
            two = second.CompletePending(out _secondExit);
        if (one == CompletionStatus.FurtherExit)
            _exits++;
        if (one != two || !SameExit(in _firstExit, in _secondExit) || (!first.IsPending && !IsSame()))
        {
            if (!Explain())
            {
                further = Failure();
                return false;
            }
        }
        further = _firstExit;
        return one == CompletionStatus.Done;
    }

    // Both agree here.
    private void Begin()
    {
        partition.Mirror.Take();
        _before = ProcessorSnapshot.Capture(first);
        _beforeOnSecond = ProcessorSnapshot.Capture(second);
        partition.Source.Begin();
        _hasInjected = _wasInjected;
        _wasInjected = false;
        _answers.Clear();
        _exits = 0;
        _begunAt = Now;
        _stretch = ++partition.Stretches;
    }

    private VpExit RunFirst(out bool isInternal, out bool isCancelled)
    {
        ulong limit = ulong.MaxValue, clients = ulong.MaxValue;
        IVirtualTime? time = partition.First.VirtualTime;
        if (time is not null)
        {
            clients = partition.Time!.Limit;
            limit = Math.Min(clients, time.Nanoseconds + partition.Hypervisor.Options.Interval);
            time.Limit = limit;
            _room = limit - Math.Min(limit, time.Nanoseconds);
        }
        Volatile.Write(ref _running, first);
        if (Volatile.Read(ref _cancel) != 0)
            first.Cancel();
        VpExit exit = first.Run();
        Volatile.Write(ref _running, null);
        isCancelled = exit.Kind == ExitKind.Cancelled && Volatile.Read(ref _cancel) != 0;
        if (isCancelled && time is not null && time.Nanoseconds < limit)
        {
            // On to a place that the second backend finds as well.
            ulong stop = time.Nanoseconds + 1;
            time.Limit = stop;
            do
                exit = first.Run();
            while (exit.Kind == ExitKind.Cancelled && time.Nanoseconds < stop);
            isCancelled = exit.Kind == ExitKind.Cancelled;
        }
        first.WithdrawCancel();
        if (isCancelled)
            Interlocked.Exchange(ref _cancel, 0);
        isInternal = !isCancelled && exit.Kind == ExitKind.Cancelled && time is not null && time.Nanoseconds < clients;
        return exit;
    }

    private VpExit RunSecond(bool toLimit, out bool isHeld)
    {
        isHeld = false;
        if (partition.Second.VirtualTime is { } time && partition.Time is not null)
        {
            // As much room as the first had: close to their limit backends go instruction by instruction, and clocks armed on the way may
            // tell.
            ulong begun = time.Nanoseconds;
            time.Limit = begun + (toLimit ? Now - _begunAt : Math.Max(_room, Now - _begunAt + 1));
            VpExit exit;
            do
                exit = second.Run();
            while (exit.Kind == ExitKind.Cancelled && time.Nanoseconds < time.Limit);
            return exit;
        }
        Volatile.Write(ref _running, second);
        if (Volatile.Read(ref _cancel) != 0)
            second.Cancel();
        VpExit reached = RunWatched(second, partition.Hypervisor.Options.Patience + TimeSpan.FromMicroseconds(20.0 * (Now - _begunAt)), mayStop: true);
        Volatile.Write(ref _running, null);
        isHeld = reached.Kind == ExitKind.Cancelled && !toLimit && !Volatile.Read(ref _expired) && TakeCancel();
        return reached;
    }

    private bool TakeCancel() => Volatile.Read(ref _cancel) != 0 && Interlocked.Exchange(ref _cancel, 0) != 0;

    // A backend that cannot be asked for its place may go astray for ever.
    private VpExit RunWatched(IVirtualProcessor processor, TimeSpan patience, bool mayStop)
    {
        lock (_watch)
            _expired = false;
        _watchdog ??= new Timer(static state => ((LockstepProcessor)state!).Expire(), this, Timeout.Infinite, Timeout.Infinite);
        Volatile.Write(ref _watched, processor);
        _watchdog.Change((long)Math.Min(patience.TotalMilliseconds, 1e9), Timeout.Infinite);
        VpExit exit;
        do
            exit = processor.Run();
        while (exit.Kind == ExitKind.Cancelled && !mayStop && !Volatile.Read(ref _expired));
        _watchdog.Change(Timeout.Infinite, Timeout.Infinite);
        lock (_watch)
            _watched = null;
        processor.WithdrawCancel();
        return exit;
    }

    private IVirtualProcessor? _watched;

    private void Expire()
    {
        lock (_watch)
        {
            _expired = true;
            _watched?.Cancel();
        }
    }

    private void Answer(in PendingAnswer answer)
    {
        while (_answers.Count < _exits - 1)
            _answers.Add(default);
        _answers.Add(answer);
        answer.Give(second);
    }

    private static VpExit Failure() => new(new FailedExit { Code = LockstepHypervisor.DivergenceCode });

    private static bool SameExit(in VpExit one, in VpExit two)
    {
        VpExit left = ExitCodec.Essence(in one), right = ExitCodec.Essence(in two);
        if (left == right)
            return true;
        if (left.Kind != ExitKind.SlatViolation || right.Kind != ExitKind.SlatViolation)
            return false;
        // A size of 0 says that a backend does not know it, and then it has no value either.
        SlatViolationExit a = left.SlatViolation, b = right.SlatViolation;
        return (a.Size == 0 || b.Size == 0) && a with { Size = 0, Value = 0 } == b with { Size = 0, Value = 0 };
    }
}
