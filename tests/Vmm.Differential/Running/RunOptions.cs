namespace Vmm.Differential.Running;

/// <summary>What to run.</summary>
/// <param name="Seed">Every case follows from this and its number.</param>
/// <param name="Cases">How many.</param>
internal sealed record RunOptions(ulong Seed, long Cases)
{
    /// <summary>Number of the first case.</summary>
    public long First { get; init; }

    /// <summary>Only encodings whose name contains this.</summary>
    public string? Filter { get; init; }

    /// <summary>Pairs of a native program and an emulated processor.</summary>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 8);

    /// <summary>Differences kept and shrunk; the rest is only counted.</summary>
    public int KeptDifferences { get; init; } = 20;

    /// <summary>The command that repeats one case.</summary>
    public string Reproduction(ulong number) => "dotnet run --project tests/Vmm.Differential -c Release -- --seed "
        + $"{Seed} --case {number}{(Filter == null ? "" : $" --filter {Filter}")}";
}
