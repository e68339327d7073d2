namespace Vmm.Conformance;

/// <summary>The result of one case with one format of nested tables.</summary>
/// <param name="Case">The case.</param>
/// <param name="SlatFormat">The format; null = the backend's default.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Duration">How long it took.</param>
public sealed record CaseResult(ConformanceCase Case, SlatFormat? SlatFormat, CaseOutcome Outcome, TimeSpan Duration)
{
    /// <summary>What was wrong, or why it was skipped or is absent; empty when passed.</summary>
    public string Message { get; init; } = "";

    /// <summary>Registers, last exits and code at the failure; empty otherwise.</summary>
    public string Diagnostics { get; init; } = "";

    /// <summary>The case did not return even after its guests were cancelled; its thread was left behind.</summary>
    public bool Abandoned { get; init; }

    /// <summary>Identifier with the format, as reports show it.</summary>
    public string Name => SlatFormat is { } format ? $"{Case.Id} [{format.ToString().ToLowerInvariant()}]" : Case.Id;

    /// <summary>Everything a failure has to say, over several lines.</summary>
    public string Explain()
    {
        string head = $"{Name}: {Outcome}{(Message.Length == 0 ? "" : $": {Message}")}";
        string text = string.Join(Environment.NewLine, head, $"  {Case.Title}", $"  Oracle: {Case.Oracle}");
        return Diagnostics.Length == 0 ? text : text + Environment.NewLine + Diagnostics;
    }
}
