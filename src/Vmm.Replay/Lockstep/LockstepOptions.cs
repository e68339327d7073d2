namespace Vmm.Replay;

/// <summary>How two backends are compared.</summary>
public sealed record LockstepOptions
{
    /// <summary>Where both count time in instructions: how many of them pass at most between two comparisons.</summary>
    public ulong Interval { get; init; } = 1_000_000;

    /// <summary>Nested-table format of the second backend; null = as the partition's options say, or its default.</summary>
    public SlatFormat? SecondSlatFormat { get; init; }

    /// <summary>Differences that are known and named; they are counted and do not end the run.</summary>
    public IReadOnlyList<LockstepTolerance> Tolerances { get; init; } = [];

    /// <summary>
    /// How long the second backend may take where it cannot be asked for its place, beyond what the first one's instructions allow for.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);
}
