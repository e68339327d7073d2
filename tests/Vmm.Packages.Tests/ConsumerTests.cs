using System.Diagnostics;
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

        (int status, string said) = Run(step);

        output.WriteLine(said);
        if (Regex.IsMatch(said, "^skipped ", RegexOptions.Multiline))
            OutsideTool.Missing("registry", said);
        said.Should().MatchRegex($"(^|\n)passed {step} ").And.EndWith("1 passed, 0 failed, 0 skipped\n");
        status.Should().Be(0);
    }

    private static (int Status, string Said) Run(string step)
    {
        ProcessStartInfo start = new("bash", [Repository.At("nuget", "consumer", "run"), step]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        // Some download a runtime, some build and test a dozen times.
        if (!process.WaitForExit(TimeSpan.FromMinutes(8)))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{step} did not end.");
        }

        return (process.ExitCode, errors.GetAwaiter().GetResult() + output.GetAwaiter().GetResult());
    }
}
