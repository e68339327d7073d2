using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Vmm.Packages.Tests;

/// <summary>What a stranger does with the packages: each step of <c>nuget/consumer/run</c> is a test here.</summary>
public sealed class ConsumerTests(PackedFeed feed, ITestOutputHelper output) : IClassFixture<PackedFeed>
{
    public static TheoryData<string> Steps
    {
        get
        {
            string list = File.ReadLines(Repository.At("nuget", "consumer", "steps")).Single(line => line.StartsWith("all=(", StringComparison.Ordinal));
            return [.. list[5..^1].Split(' ')];
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Steps))]
    public void Step_ends_well(string step)
    {
        feed.Should().NotBeNull();
        PackedFeed.Require();

        (int status, string said) = OutsideTool.Try("bash", "bash", Repository.Root, "bash", Repository.At("nuget", "consumer", "run"), step);

        output.WriteLine(said);
        if (Regex.IsMatch(said, "^skipped ", RegexOptions.Multiline))
            OutsideTool.Missing("registry", said);
        said.Should().MatchRegex($"(^|\n)passed {step} ").And.EndWith("1 passed, 0 failed, 0 skipped\n");
        status.Should().Be(0);
    }
}
