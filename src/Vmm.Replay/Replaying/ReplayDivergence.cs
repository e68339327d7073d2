namespace Vmm.Replay;

/// <summary>The first place at which a guest did other than was recorded.</summary>
/// <param name="Operation">Number of the recorded operation, from 0.</param>
/// <param name="Processor">The processor; -1 where it is of the whole partition.</param>
/// <param name="Time">Counted time of the replay there, in nanoseconds: instructions retired, faults, and what was slept.</param>
/// <param name="Recorded">What was recorded.</param>
/// <param name="Found">What happened instead.</param>
public sealed record ReplayDivergence(long Operation, int Processor, ulong Time, string Recorded, string Found)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"the replay diverged at operation {Operation}, counted time {Time} ns{(Processor < 0 ? "" : $", processor {Processor}")}: recorded {Recorded}, found {Found}";
}
