namespace Vmm.Conformance;

/// <summary>One behaviour that a backend promises, with the code that tries it. Immutable; knows no test framework.</summary>
public sealed class ConformanceCase
{
    private readonly Action<ConformanceContext> _body;

    /// <summary>Makes a case.</summary>
    /// <param name="id">Stable identifier, <c>suite.name</c>, lower case with underscores.</param>
    /// <param name="title">The behaviour in one line.</param>
    /// <param name="oracle">Why this is right: the section of a manual or of the contract.</param>
    /// <param name="body">Tries it; throws <see cref="ConformanceFailureException"/> through <see cref="Verify"/> when it does not
    /// hold.</param>
    public ConformanceCase(string id, string title, string oracle, Action<ConformanceContext> body)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        ArgumentException.ThrowIfNullOrEmpty(title);
        ArgumentException.ThrowIfNullOrEmpty(oracle);
        ArgumentNullException.ThrowIfNull(body);
        int dot = id.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == id.Length - 1)
            throw new ArgumentException($"'{id}' is not of the form suite.name.", nameof(id));
        Id = id;
        Suite = id[..dot];
        Title = title;
        Oracle = oracle;
        _body = body;
        AbsentWith = QuirkTable.Of(id);
    }

    /// <summary>Stable identifier, <c>suite.name</c>.</summary>
    public string Id { get; }

    /// <summary>The part of <see cref="Id"/> before the dot.</summary>
    public string Suite { get; }

    /// <summary>The behaviour in one line.</summary>
    public string Title { get; }

    /// <summary>Why the expected result is right.</summary>
    public string Oracle { get; }

    /// <summary>Capabilities without which the case is absent.</summary>
    public IReadOnlyList<Capability> Requires { get; init; } = [];

    /// <summary>
    /// Quirks that take away what the case rests on: where the backend declares one of them (by name) with evidence, the case is absent.
    /// </summary>
    public IReadOnlyList<Quirk> AbsentWith { get; init; }

    /// <summary>First version of the kit that has the case.</summary>
    public Version Since { get; init; } = new(0, 1);

    /// <summary>Longest time the case may take before the watchdog cancels it; null = the runner's setting.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Tries it on the calling thread.</summary>
    /// <exception cref="ConformanceFailureException">The backend does not behave so.</exception>
    /// <exception cref="CaseSkippedException">The processor model lacks what the case is about.</exception>
    public void Run(ConformanceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        _body(context);
    }

    /// <inheritdoc/>
    public override string ToString() => Id;
}
