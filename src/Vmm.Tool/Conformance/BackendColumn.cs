using System.Text.Json;

namespace Vmm.Tool.Conformance;

/// <summary>One backend's report, counted.</summary>
/// <param name="Backend">Its name.</param>
/// <param name="Capabilities">What it declares, in the report's order.</param>
/// <param name="Areas">
/// Cases by the first word of their identifiers; a case that ran with several table formats counts once, with its worst outcome.
/// </param>
internal sealed record BackendColumn(string Backend, IReadOnlyList<string> Capabilities, IReadOnlyDictionary<string, AreaCounts> Areas)
{
    private static readonly string[] s_worstFirst = ["failed", "absent", "skipped", "passed"];

    /// <summary>Reads a report.</summary>
    public static BackendColumn Parse(JsonElement report)
    {
        Dictionary<string, int> worst = new(StringComparer.Ordinal);
        foreach (JsonElement result in report.GetProperty("results").EnumerateArray())
        {
            string id = result.GetProperty("id").GetString() ?? throw new JsonException("a case has no id");
            int rank = Array.IndexOf(s_worstFirst, result.GetProperty("outcome").GetString());
            if (rank < 0)
                throw new JsonException($"the outcome of {id} is unknown");
            worst[id] = worst.TryGetValue(id, out int before) ? Math.Min(before, rank) : rank;
        }
        SortedDictionary<string, AreaCounts> areas = new(StringComparer.Ordinal);
        foreach (IGrouping<string, KeyValuePair<string, int>> area in worst.GroupBy(one => one.Key.Split('.')[0]))
            areas[area.Key] = new AreaCounts(area.Count(one => one.Value == 3), area.Count(one => one.Value == 2), area.Count(one => one.Value == 1), area.Count(one => one.Value == 0));
        return new BackendColumn(
            report.GetProperty("backend").GetString() ?? throw new JsonException("the backend has no name"), [.. report.GetProperty("capabilities").EnumerateArray().Select(one => one.GetString() ?? throw new JsonException("a capability has no name"))], areas);
    }
}
