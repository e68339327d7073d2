using System.Text.RegularExpressions;

namespace Vmm.Conformance.SelfTests;

public sealed class CatalogTests
{
    [Fact]
    public void Cases_have_distinct_well_formed_identifiers_titles_and_oracles()
    {
        ConformanceCatalog.All.Select(c => c.Id).Should().OnlyHaveUniqueItems();
        foreach (ConformanceCase c in ConformanceCatalog.All)
        {
            c.Id.Should().MatchRegex("^[a-z0-9]+\\.[a-z0-9_]+$");
            c.Title.Length.Should().BeInRange(10, 140, c.Id);
            Regex.IsMatch(c.Oracle, "SDM|APM|contract").Should().BeTrue($"{c.Id} must name a manual or the contract, not '{c.Oracle}'");
        }
    }
}
