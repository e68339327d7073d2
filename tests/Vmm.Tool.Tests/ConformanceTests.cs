using System.Text.Json;

namespace Vmm.Tool.Tests;

public sealed class ConformanceTests : ToolTest
{
    [Fact]
    public void Passing_cases_give_status_0_a_line_each_and_the_summary_last()
    {
        ToolResult result = Run("conformance", "--filter", "cancel.before_run");

        string[] lines = result.Text.TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        lines.Should().HaveCount(3);
        lines[0].Should().MatchRegex(@"^passed .*cancel\.before_run \[ept\]$");
        lines[1].Should().MatchRegex(@"^passed .*cancel\.before_run \[npt\]$");
        lines[2].Should().Be("2 passed, 0 failed, 0 skipped, 0 absent");
        result.Status.Should().Be(0);
    }

    [Fact]
    public void Failing_cases_give_status_10_and_are_explained()
    {
        ToolResult result = Run("conformance", "--backend", "broken", "--filter", "cancel.before_run");

        result.Status.Should().Be(10);
        result.Text.Should().Contain("Oracle: ").And.Contain("Repair it.");
        result.Text.TrimEnd().Should().EndWith("0 passed, 1 failed, 0 skipped, 0 absent");
    }

    [Fact]
    public void Reports_are_written_as_their_names_say()
    {
        Run("conformance", "--slat", "npt", "--filter", "cancel.", "--report", PathOf("report.json")).Status.Should().Be(0);
        Run("conformance", "--slat", "npt", "--cpu", "v1", "--filter", "cancel.before_run", "--report", PathOf("report.md")).Status.Should().Be(0);

        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(PathOf("report.json")));
        json.RootElement.GetProperty("cpuProfile").GetString().Should().Be("v3", "it is the fullest of the emulator");
        json.RootElement.GetProperty("results").EnumerateArray().Should().OnlyContain(e => e.GetProperty("slat").GetString() == "npt");
        File.ReadAllText(PathOf("report.md")).Should().StartWith("# Conformance of emulator").And.Contain("CPU profile v1").And.Contain("| cancel.before_run |");
    }

    [Fact]
    public void JSON_is_alone_on_standard_output()
    {
        ToolResult result = Run("conformance", "--slat", "ept", "--filter", "cancel.before_run", "--json");

        using JsonDocument json = JsonDocument.Parse(result.Text);
        json.RootElement.GetProperty("summary").GetProperty("passed").GetInt32().Should().Be(1);
        result.Error.TrimEnd().Should().EndWith("1 passed, 0 failed, 0 skipped, 0 absent");
    }

    [Theory]
    [InlineData("--slat shadow", "--slat 'shadow'")]
    [InlineData("--report report.txt", "must end in .json or .md")]
    [InlineData("--report no/such/folder/report.md", "--report cannot be written")]
    [InlineData("--backend nonesuch", "no backend 'nonesuch'")]
    [InlineData("--backend broken --slat npt", "--slat")]
    [InlineData("--backend emulator --cpu v4", "--cpu v4: the emulator backend has v1, v2, v3.")]
    public void Wrong_option_is_refused_in_one_line(string options, string because)
    {
        Run(["conformance", "--filter", "cancel.before_run", .. options.Split(' ')]).ShouldRefuse(because);
    }

    [Fact]
    public void No_case_gives_status_2()
    {
        ToolResult result = Run("conformance", "--filter", "no such case");

        result.Status.Should().Be(2);
        result.Error.Should().Contain("no such case");
        result.Text.Trim().Should().Be("0 passed, 0 failed, 0 skipped, 0 absent");
    }

    [Fact]
    public void Unavailable_backend_gives_status_4()
    {
        Run("conformance", "--backend", "absent").Status.Should().Be(4);
    }
}
