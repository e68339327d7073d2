using System.Text;

namespace Vmm.Tool.Conformance;

/// <summary>Backends side by side as a Markdown table.</summary>
internal static class BackendMatrix
{
    /// <summary>The table: one row for all cases, one an area, one a capability that any backend declares.</summary>
    public static string ToMarkdown(IReadOnlyList<BackendColumn> columns)
    {
        StringBuilder text = new();
        Row(text, "", columns.Select(column => $"`{column.Backend}`"));
        Row(text, "---", columns.Select(_ => "---"));
        Row(text, "**cases that passed**", columns.Select(column => $"**{column.Areas.Values.Aggregate(default(AreaCounts), (sum, one) => sum + one)}**"));
        foreach (string area in columns.SelectMany(column => column.Areas.Keys).Distinct().Order(StringComparer.Ordinal))
            Row(text, area, columns.Select(column => column.Areas.TryGetValue(area, out AreaCounts counts) ? counts.ToString() : ""));
        foreach (string capability in columns.SelectMany(column => column.Capabilities).Distinct().Order(StringComparer.Ordinal))
            Row(text, $"`{capability}`", columns.Select(column => column.Capabilities.Contains(capability) ? "yes" : "no"));
        return text.ToString();
    }

    private static void Row(StringBuilder text, string first, IEnumerable<string> cells) =>
        text.Append("| ").Append(first).Append(" | ").AppendJoin(" | ", cells).Append(" |\n");
}
