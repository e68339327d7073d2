using System.Text;
using System.Text.Json;

namespace Vmm.Conformance;

/// <summary>The results of a run. Immutable.</summary>
public sealed class ConformanceReport
{
    /// <summary>Makes a report.</summary>
    public ConformanceReport(string backend, HypervisorCapabilities capabilities, IReadOnlyList<CaseResult> results)
    {
        Backend = backend;
        Capabilities = capabilities;
        Results = results;
    }

    /// <summary>Backend name.</summary>
    public string Backend { get; }

    /// <summary>What it declares.</summary>
    public HypervisorCapabilities Capabilities { get; }

    /// <summary>Name of the guests' processor model; null = the backend's default.</summary>
    public string? CpuProfile { get; init; }

    /// <summary>The results, in the order they came.</summary>
    public IReadOnlyList<CaseResult> Results { get; }

    /// <summary>Results with one outcome.</summary>
    public int Count(CaseOutcome outcome) => Results.Count(result => result.Outcome == outcome);

    /// <summary>The failures.</summary>
    public IEnumerable<CaseResult> Failures => Results.Where(result => result.Outcome == CaseOutcome.Failed);

    /// <summary><c>N passed, N failed, N skipped, N absent</c>.</summary>
    public string Summary =>
        string.Join(", ", Enum.GetValues<CaseOutcome>().Select(outcome => $"{Count(outcome)} {outcome.ToString().ToLowerInvariant()}"));

    /// <summary>Writes the report as JSON, UTF-8.</summary>
    public void WriteJson(Stream destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using Utf8JsonWriter json = new(destination, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("backend", Backend);
        json.WriteString("cpuProfile", CpuProfile);
        json.WriteStartArray("capabilities");
        foreach (Capability capability in Capabilities.Declared.OrderBy(capability => capability.Name, StringComparer.Ordinal))
            json.WriteStringValue(capability.Name);
        json.WriteEndArray();
        json.WriteStartObject("summary");
        foreach (CaseOutcome outcome in Enum.GetValues<CaseOutcome>())
            json.WriteNumber(outcome.ToString().ToLowerInvariant(), Count(outcome));
        json.WriteEndObject();
        json.WriteStartArray("results");
        foreach (CaseResult result in Results)
        {
            json.WriteStartObject();
            json.WriteString("id", result.Case.Id);
            json.WriteString("title", result.Case.Title);
            json.WriteString("oracle", result.Case.Oracle);
            json.WriteString("since", result.Case.Since.ToString());
            json.WriteStartArray("requires");
            foreach (Capability capability in result.Case.Requires)
                json.WriteStringValue(capability.Name);
            json.WriteEndArray();
            json.WriteString("slat", result.SlatFormat?.ToString().ToLowerInvariant());
            json.WriteString("outcome", result.Outcome.ToString().ToLowerInvariant());
            json.WriteNumber("milliseconds", Math.Round(result.Duration.TotalMilliseconds, 1));
            if (result.Message.Length != 0)
                json.WriteString("message", result.Message);
            if (result.Diagnostics.Length != 0)
                json.WriteString("diagnostics", result.Diagnostics);
            if (result.Abandoned)
                json.WriteBoolean("abandoned", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The report as Markdown: a matrix of cases by format, then what is absent and why, then the failures.</summary>
    public string ToMarkdown()
    {
        StringBuilder text = new();
        SlatFormat?[] formats = [.. Results.Select(result => result.SlatFormat).Distinct()];
        text.Append("# Conformance of ").AppendLine(Backend).AppendLine().Append(Summary);
        text.AppendLine(CpuProfile is null ? "" : $"; CPU profile {CpuProfile}").AppendLine();
        text.Append("| Case | Behaviour | Oracle |");
        foreach (SlatFormat? format in formats)
            text.Append(' ').Append(format?.ToString() ?? "default").Append(" |");
        text.AppendLine().Append("|---|---|---|");
        foreach (SlatFormat? _ in formats)
            text.Append("---|");
        text.AppendLine();
        foreach (IGrouping<ConformanceCase, CaseResult> row in Results.GroupBy(result => result.Case))
        {
            text.Append($"| {row.Key.Id} | {Cell(row.Key.Title)} | {Cell(row.Key.Oracle)} |");
            foreach (SlatFormat? format in formats)
            {
                CaseResult? cell = row.FirstOrDefault(result => result.SlatFormat == format);
                text.Append(' ').Append(cell?.Outcome.ToString().ToLowerInvariant() ?? "").Append(" |");
            }
            text.AppendLine();
        }
        AppendAbsent(text);
        foreach (CaseResult failure in Failures)
            text.AppendLine().Append("## ").AppendLine(failure.Name).AppendLine().AppendLine("```").AppendLine(failure.Explain())
                .AppendLine("```");
        return text.ToString();

        static string Cell(string value) => value.Replace("|", "\\|", StringComparison.Ordinal);
    }

    // Many cases are absent for one reason: each reason stands once, with the cases it takes away.
    private void AppendAbsent(StringBuilder text)
    {
        IGrouping<string, CaseResult>[] reasons = [.. Results.Where(result => result.Outcome == CaseOutcome.Absent).GroupBy(result => result.Message)];
        if (reasons.Length == 0)
            return;
        text.AppendLine().AppendLine("## Absent");
        foreach (IGrouping<string, CaseResult> reason in reasons)
        {
            text.AppendLine().AppendLine("```").AppendLine(reason.Key).AppendLine("```").AppendLine();
            text.AppendLine(string.Join(", ", reason.Select(result => result.Name)));
        }
    }
}
