using System.Text;

namespace Vmm;

/// <summary>One backend in a <see cref="HypervisorReport"/>.</summary>
/// <param name="Name">Short name.</param>
/// <param name="DisplayName">Full name.</param>
/// <param name="Result">What its probe said.</param>
/// <param name="IsChosen">It was chosen.</param>
public sealed record HypervisorReportEntry(string Name, string DisplayName, ProbeResult Result, bool IsChosen);

/// <summary>
/// What an automatic choice looked at, in order, and why it passed over what it did. <see cref="ToString"/> is for people.
/// </summary>
public sealed class HypervisorReport
{
    internal HypervisorReport(IReadOnlyList<HypervisorReportEntry> entries) => Entries = entries;

    /// <summary>The backends looked at, by preference. Those after the chosen one were not probed and are not listed.</summary>
    public IReadOnlyList<HypervisorReportEntry> Entries { get; }

    /// <summary>The name of the chosen backend; null when none was available.</summary>
    public string? Chosen => Entries.FirstOrDefault(entry => entry.IsChosen)?.Name;

    /// <summary>One line for each backend.</summary>
    public override string ToString()
    {
        if (Entries.Count == 0)
            return "No backend is in the catalogue.";
        int width = Entries.Max(entry => entry.Name.Length);
        StringBuilder text = new();
        foreach (HypervisorReportEntry entry in Entries)
        {
            if (text.Length != 0)
                text.Append('\n');
            text.Append(entry.IsChosen ? "* " : "  ").Append(entry.Name.PadRight(width)).Append("  ");
            text.Append(entry.IsChosen ? $"{entry.DisplayName} (chosen)" : $"{entry.DisplayName}: {entry.Result}");
        }
        return text.ToString();
    }
}
