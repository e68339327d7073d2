using Vmm.Conformance;

namespace Vmm.Documentation.Tests;

/// <summary>The table of backends is the one that <c>vmm matrix</c> made of reports that cover the kit as it is.</summary>
public sealed class MatrixTests
{
    private const string Page = "docs/backends.md";

    [Fact]
    public void Readme_shows_rows_of_the_table()
    {
        string[] table = Rows(Page), shown = Rows("README.md");
        shown.Should().HaveCountGreaterThan(4).And.BeSubsetOf(table);
    }

    [Fact]
    public void Table_covers_every_case_of_the_kit()
    {
        string[] table = Rows(Page);
        foreach (IGrouping<string, ConformanceCase> area in ConformanceCatalog.All.GroupBy(one => one.Id.Split('.')[0]))
        {
            string[] cells = Cells(table.Single(row => Cells(row)[0] == area.Key));
            cells.Skip(1).Should().AllSatisfy(
                cell => cell.Split(", ").Sum(part => int.Parse(part.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)).Should().Be(area.Count()),
                "area {0}: make the reports anew, as {1} says", area.Key, Page);
        }
        table.Should().NotContain(row => row.Contains("failed", StringComparison.Ordinal));
    }

    [Fact]
    public void Table_tells_the_emulators_capabilities()
    {
        string[] table = Rows(Page);
        int column = Array.IndexOf(Cells(table[0]), "`emulator`");
        string[] yes = [.. table.Where(row => row.StartsWith("| `", StringComparison.Ordinal) && Cells(row)[column] == "yes").Select(row => Cells(row)[0].Trim('`'))];
        yes.Should().BeEquivalentTo(Hypervisors.Emulator().Capabilities.Declared.Select(capability => capability.Name));
    }

    private static string[] Rows(string page)
    {
        const string Start = "<!-- matrix -->", End = "<!-- /matrix -->";
        string text = Pages.Read(page);
        int first = text.IndexOf(Start, StringComparison.Ordinal) + Start.Length, end = text.IndexOf(End, StringComparison.Ordinal);
        end.Should().BePositive("{0} has the table between its marks", page);
        return text[first..end].Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static string[] Cells(string row) => [.. row.Trim()[1..^1].Split('|').Select(cell => cell.Trim().Trim('*'))];
}
