namespace Vmm.Testing;

/// <summary>
/// A backend in front of another one that makes what goes wrong now and then go wrong often: for testing that a monitor, a run loop or a
/// machine bears it, and that a backend bears storms of cancels. Which disturbances, and how often, <see cref="ChaosOptions"/> says;
/// <see cref="Counts"/> says what came of it.
/// </summary>
/// <remarks>
/// Storms of cancels keep the contract: the kit passes under them. Everything else is what a client has to bear beyond it: exits without a
/// reason, an interrupt on its way while nothing shows it, a host without memory. Partitions whose time or runs are counted in instructions
/// are given no storms, short runs or delays, because nobody could tell their own exits from those.
/// </remarks>
public sealed class ChaosHypervisor : DecoratedHypervisor
{
    /// <summary>
    /// <see cref="FailedExit.Code"/> of an aborted run, and <see cref="HypervisorException.NativeCode"/> of refused memory.
    /// </summary>
    public const uint AbortCode = 0xC4A0_5000;

    private long _spuriousCancels, _earlyWindows, _shortRuns, _storms, _hiddenCancels, _abortedRuns, _lateInterrupts, _refusedMemory;
    private int _partitions;

    /// <summary>Makes it.</summary>
    /// <param name="inner">The backend behind.</param>
    /// <param name="options">Which disturbances.</param>
    /// <exception cref="ArgumentException">A probability or the delay is out of its range.</exception>
    public ChaosHypervisor(IHypervisor inner, ChaosOptions options)
        : base(inner)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        Options = options;
    }

    /// <summary>Which disturbances, and how often.</summary>
    public ChaosOptions Options { get; }

    /// <summary>What was done so far; a snapshot.</summary>
    public ChaosCounts Counts => new()
    {
        SpuriousCancels = Interlocked.Read(ref _spuriousCancels),
        EarlyInterruptWindows = Interlocked.Read(ref _earlyWindows),
        ShortRuns = Interlocked.Read(ref _shortRuns),
        CancelStorms = Interlocked.Read(ref _storms),
        HiddenCancels = Interlocked.Read(ref _hiddenCancels),
        AbortedRuns = Interlocked.Read(ref _abortedRuns),
        LateInterrupts = Interlocked.Read(ref _lateInterrupts),
        RefusedMemory = Interlocked.Read(ref _refusedMemory),
    };

    /// <inheritdoc/>
    protected override IPartition Decorate(IPartition partition) => new ChaosPartition(this, partition, Interlocked.Increment(ref _partitions));

    internal void CountSpuriousCancel() => Interlocked.Increment(ref _spuriousCancels);

    internal void CountEarlyWindow() => Interlocked.Increment(ref _earlyWindows);

    internal void CountShortRun() => Interlocked.Increment(ref _shortRuns);

    internal void CountStorm() => Interlocked.Increment(ref _storms);

    internal void CountHiddenCancel() => Interlocked.Increment(ref _hiddenCancels);

    internal void CountAbortedRun() => Interlocked.Increment(ref _abortedRuns);

    internal void CountLateInterrupt() => Interlocked.Increment(ref _lateInterrupts);

    internal void CountRefusal() => Interlocked.Increment(ref _refusedMemory);
}
