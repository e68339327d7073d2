using System.Text.RegularExpressions;
using Vmm.Emulator;
using Vmm.Emulator.Mutants;
using Xunit.Abstractions;

namespace Vmm.Conformance.SelfTests;

/// <summary>Every mutant is caught, by the case that the documentation names, and the run ends there.</summary>
[Collection(EmulatorCollection.Name)]
public sealed partial class MutantTests(ITestOutputHelper output)
{
    private static readonly Lazy<Dictionary<string, string>> s_documented = new(ReadDocumented);

    public static TheoryData<string> Mutants => [.. MutantCatalog.All.Keys];

    [Theory]
    [MemberData(nameof(Mutants))]
    public void Mutant_is_caught_by_the_documented_case_and_the_run_ends_there(string name)
    {
        ConformanceReport report;
        try
        {
            report = ConformanceRunner.Run(
                MutantCatalog.All[name](),
                new ConformanceOptions { SlatFormats = [SlatFormat.Ept], StopAtFirstFailure = true, Timeout = TimeSpan.FromSeconds(5),
                    Grace = TimeSpan.FromSeconds(1) });
        }
        finally
        {
            Mutation.Active = Mutant.None;
        }
        report.Failures.Should().ContainSingle($"{name} must be caught");
        CaseResult caught = report.Results[^1];
        output.WriteLine(caught.Explain());
        caught.Outcome.Should().Be(CaseOutcome.Failed);
        s_documented.Value.Should().ContainKey(name);
        caught.Case.Id.Should().Be(s_documented.Value[name]);
    }

    [Fact]
    public void Documented_mutants_are_those_of_the_catalogue() =>
        s_documented.Value.Keys.Should().BeEquivalentTo(MutantCatalog.All.Keys);

    [Fact]
    public void Unbroken_copy_passes_every_case()
    {
        ConformanceReport report = ConformanceRunner.Run(new EmulatorHypervisor(),
            new ConformanceOptions { SlatFormats = [SlatFormat.Npt] });
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain())).Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeGreaterThan(80);
        report.Count(CaseOutcome.Absent).Should().Be(0);
    }

    private static Dictionary<string, string> ReadDocumented()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Vmm.sln")))
            directory = directory.Parent;
        directory.Should().NotBeNull("the tests run inside the repository");
        string text = File.ReadAllText(Path.Combine(directory!.FullName, "docs", "conformance.md"));
        return Row().Matches(text).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
    }

    [GeneratedRegex(@"^\| `(\w+)` \| [^|]+ \| `([a-z0-9]+\.[a-z0-9_]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
