namespace Vmm.Testing;

/// <summary>
/// Which disturbances a <see cref="ChaosHypervisor"/> makes, and how often. Each is a probability from 0 (never, the default) to 1
/// (always).
/// </summary>
public sealed record ChaosOptions
{
    /// <summary>
    /// Decides every choice. What one processor is shown depends on this, on its index and that of its partition, and on its own runs
    /// alone; so a guest on one processor is disturbed alike each time. Storms and delays happen at times of the host: they begin at the
    /// same runs and requests, and meet the guest elsewhere.
    /// </summary>
    public int Seed { get; init; }

    /// <summary>By run: it returns <see cref="ExitKind.Cancelled"/> at once, though nobody asked.</summary>
    public double SpuriousCancels { get; init; }

    /// <summary>By run: it returns <see cref="ExitKind.InterruptWindow"/> at once, though none opened.</summary>
    public double EarlyInterruptWindows { get; init; }

    /// <summary>By run: it returns <see cref="ExitKind.Cancelled"/> after a little of the guest, though nobody asked.</summary>
    public double ShortRuns { get; init; }

    /// <summary>
    /// By run: another thread cancels it again and again while it lasts. The client sees none of that: it tries the backend. The contract
    /// holds wholly under storms.
    /// </summary>
    public double CancelStorms { get; init; }

    /// <summary>
    /// By run: it returns <see cref="ExitKind.Failed"/> with <see cref="ChaosHypervisor.AbortCode"/>, and the processor does not run until
    /// its state is set or the partition is reset.
    /// </summary>
    public double AbortedRuns { get; init; }

    /// <summary>
    /// By interrupt message, and by change of the external interrupt source: it reaches the processors late, by up to
    /// <see cref="LongestDelay"/>.
    /// </summary>
    public double LateInterrupts { get; init; }

    /// <summary>
    /// By call of Map and AllocateMemory: it throws <see cref="HypervisorException"/>, and nothing is mapped or allocated.
    /// </summary>
    public double RefusedMemory { get; init; }

    /// <summary>How late an interrupt may be, and how long a short run may last.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMilliseconds(1);

    internal void Check()
    {
        double[] probabilities = [SpuriousCancels, EarlyInterruptWindows, ShortRuns, CancelStorms, AbortedRuns, LateInterrupts, RefusedMemory];
        if (!Array.TrueForAll(probabilities, value => value is >= 0 and <= 1))
            throw new ArgumentException($"A probability is from 0 to 1: {this}.");
        if (LongestDelay <= TimeSpan.Zero || LongestDelay > TimeSpan.FromSeconds(1))
            throw new ArgumentException($"A delay is above 0 and at most a second, not {LongestDelay}.");
    }
}
