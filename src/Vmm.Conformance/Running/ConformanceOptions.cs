namespace Vmm.Conformance;

/// <summary>What to run, and how.</summary>
public sealed record ConformanceOptions
{
    /// <summary>The cases, in order.</summary>
    public IReadOnlyList<ConformanceCase> Cases { get; init; } = ConformanceCatalog.All;

    /// <summary>Runs only cases whose identifier contains this text, ignoring case; null or empty = all.</summary>
    public string? Filter { get; init; }

    /// <summary>Formats of nested tables to run each case with; null = EPT and NPT where the backend lets one choose, else its
    /// default.</summary>
    public IReadOnlyList<SlatFormat>? SlatFormats { get; init; }

    /// <summary>Processor model of the guests; null = the backend's default. With a fuller one fewer cases are skipped.</summary>
    public CpuProfile? CpuProfile { get; init; }

    /// <summary>Ends at the first failure.</summary>
    public bool StopAtFirstFailure { get; init; }

    /// <summary>Longest time for a case before its guests are cancelled and it fails.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a cancelled case may take to return before its thread is abandoned.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Called after each case, on the thread that runs them.</summary>
    public Action<CaseResult>? Progress { get; init; }
}
