namespace Vmm.Testing;

/// <summary>A processor whose runs are cut short, aborted, interrupted by windows that are none, and cancelled in storms.</summary>
internal sealed class ChaosProcessor(ChaosPartition partition, IVirtualProcessor inner, int seed) : DecoratedProcessor(partition, inner)
{
    private const int MostCancelsOfAStorm = 200;

    private readonly Random _choices = new(seed);
    private int _isInside;
    private int _wanted; // the client's own cancel
    private int _runNumber; // a storm or cut of an earlier run is not meant for a later one
    private bool _hasEnded; // by the backend: it knows what may come next
    private bool _isAborted;
    private long _hidden;
    private long _added;

    public override ProcessorCounters Counters
    {
        get
        {
            ProcessorCounters counters = base.Counters;
            ulong[] exits = [.. counters.Exits];
            exits[(int)ExitKind.Cancelled] = (ulong)((long)exits[(int)ExitKind.Cancelled] - Interlocked.Read(ref _hidden) + Interlocked.Read(ref _added));
            return counters with { Exits = [.. exits] };
        }
    }

    public override VpExit Run()
    {
        // A second runner, and one who comes too late, gets the backend's own answer.
        if (partition.IsDisposed || Interlocked.CompareExchange(ref _isInside, 1, 0) != 0)
            return base.Run();
        try
        {
            if (_isAborted)
                throw new InvalidOperationException($"Processor {Index} ended with {ExitKind.Failed}: set its state or reset the partition before it runs again.");
            Cut cut = default;
            if (!_hasEnded && Disturb(out VpExit exit, out cut))
                return exit;
            exit = RunInner(cut);
            _hasEnded = exit.Kind is ExitKind.Shutdown or ExitKind.Failed;
            return exit;
        }
        finally
        {
            Interlocked.Increment(ref _runNumber);
            Volatile.Write(ref _isInside, 0);
        }
    }

    public override void Cancel()
    {
        Volatile.Write(ref _wanted, 1);
        base.Cancel();
    }

    public override bool WithdrawCancel()
    {
        bool wanted = Interlocked.Exchange(ref _wanted, 0) != 0;
        bool latched = base.WithdrawCancel();
        return partition.CountsInstructions ? latched : wanted;
    }

    public override ulong this[Register register]
    {
        get => base[register];
        set
        {
            base[register] = value;
            _isAborted = false;
        }
    }

    public override void SetRegisters(ReadOnlySpan<Register> registers, ReadOnlySpan<ulong> values)
    {
        base.SetRegisters(registers, values);
        _isAborted = false;
    }

    public override void SetState(RegisterGroups groups, in ProcessorState state)
    {
        base.SetState(groups, in state);
        _isAborted = false;
    }

    /// <summary>After the partition was reset.</summary>
    public void Recover()
    {
        _isAborted = false;
        _hasEnded = false;
    }

    // Draws the same number of choices each time, so that one disturbance does not move the others about.
    private bool Disturb(out VpExit exit, out Cut cut)
    {
        ChaosOptions chaos = partition.Chaos;
        exit = default;
        cut = default;
        bool spurious = _choices.NextDouble() < chaos.SpuriousCancels, window = _choices.NextDouble() < chaos.EarlyInterruptWindows;
        bool isShort = _choices.NextDouble() < chaos.ShortRuns, storm = _choices.NextDouble() < chaos.CancelStorms, abort = _choices.NextDouble() < chaos.AbortedRuns;
        double measure = _choices.NextDouble();
        // An instruction that is not finished is finished first, as the run would have: else the client could not look at the registers.
        if ((abort || spurious || window) && Inner.IsPending && Inner.CompletePending(out exit) == CompletionStatus.FurtherExit)
            return true;
        if (abort)
        {
            partition.Counter.CountAbortedRun();
            _isAborted = true;
            exit = new VpExit(new FailedExit { Code = ChaosHypervisor.AbortCode });
            return true;
        }
        if (spurious)
        {
            partition.Counter.CountSpuriousCancel();
            Interlocked.Increment(ref _added);
            exit = new VpExit(ExitKind.Cancelled);
            return true;
        }
        if (window)
        {
            partition.Counter.CountEarlyWindow();
            exit = new VpExit(ExitKind.InterruptWindow);
            return true;
        }
        if (!partition.CountsInstructions)
            cut = new(isShort, storm, measure);
        return false;
    }

    private VpExit RunInner(Cut cut)
    {
        int number = Volatile.Read(ref _runNumber);
        if (cut.IsShort)
            partition.Worker.Later(partition.Chaos.LongestDelay * cut.Measure, () => CancelInner(number));
        if (cut.IsStorm)
        {
            partition.Counter.CountStorm();
            int cancels = 1 + (int)(cut.Measure * MostCancelsOfAStorm);
            Inner.Cancel(); // one at least, however short the run
            partition.Worker.Later(TimeSpan.Zero, () => Storm(number, cancels));
        }
        while (true)
        {
            VpExit exit = base.Run();
            if (exit.Kind != ExitKind.Cancelled || partition.CountsInstructions || Interlocked.Exchange(ref _wanted, 0) != 0)
                return exit;
            if (cut.IsShort)
            {
                partition.Counter.CountShortRun();
                return exit;
            }
            Interlocked.Increment(ref _hidden);
            partition.Counter.CountHiddenCancel();
        }
    }

    private void Storm(int number, int cancels)
    {
        for (int i = 0; i < cancels && CancelInner(number); i++)
            Thread.SpinWait(20 + (i % 50));
    }

    private bool CancelInner(int number)
    {
        if (Volatile.Read(ref _runNumber) != number || partition.IsDisposed)
            return false;
        Inner.Cancel();
        return true;
    }

    private readonly record struct Cut(bool IsShort, bool IsStorm, double Measure);
}
