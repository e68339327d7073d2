namespace Vmm.Tool.Tests;

/// <summary>What long work shows on a real terminal, which the program script makes.</summary>
public sealed class TerminalTests : ToolTest
{
    private const string HideCursor = "\u001b[?25l", Bar = "\u2501";

    [SkippableFact]
    public void Conformance_draws_a_bar_on_a_terminal_and_leaves_the_summary()
    {
        string shown = OnTerminal("conformance --slat ept --filter cancel.before_run");

        shown.Should().Contain(HideCursor).And.Contain(Bar).And.Contain("1 of 1, 0 failed").And.Contain("1 passed, 0 failed, 0 skipped, 0 absent");
        shown.Should().NotContain("passed  ", "lines are for those who read no terminal");
    }

    [SkippableFact]
    public void Conformance_draws_its_bar_on_standard_error_when_a_program_reads_the_report()
    {
        string file = PathOf("report.json");

        string shown = OnTerminal($"conformance --slat ept --filter cancel.before_run --json >{file}");

        shown.Should().Contain(HideCursor).And.Contain(Bar).And.Contain("1 passed");
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(File.ReadAllText(file));
        json.RootElement.GetProperty("summary").GetProperty("passed").GetInt32().Should().Be(1);
    }

    [SkippableFact]
    public void Conformance_writes_lines_where_standard_output_is_none_although_the_input_is()
    {
        string file = PathOf("output.txt");

        OnTerminal($"conformance --slat ept --filter cancel.before_run >{file}").Should().NotContain(Bar);

        File.ReadAllLines(file).Should().HaveCount(2).And.Subject.First().Should().MatchRegex("^passed .* ms  .*cancel.before_run");
    }

    private static string OnTerminal(string arguments)
    {
        string tool = Path.Combine(AppContext.BaseDirectory, "Vmm.Tool.dll");
        (int status, string output) = OutsideTool.Try(
            "script", "bsdutils", null, "script", "--quiet", "--return", "--command", $"TERM=xterm dotnet {tool} {arguments}", "/dev/null");
        status.Should().Be(0, "it said: {0}", output);
        return output;
    }
}
