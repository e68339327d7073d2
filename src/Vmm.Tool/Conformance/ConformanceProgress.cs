using System.Globalization;
using Spectre.Console;
using Vmm.Conformance;

namespace Vmm.Tool.Conformance;

/// <summary>Runs cases and shows how far it is: a bar on a terminal, else a line for each case.</summary>
internal static class ConformanceProgress
{
    public static ConformanceReport Run(IHypervisor hypervisor, ConformanceOptions options, TextWriter output, bool isTerminal)
    {
        if (!isTerminal)
            return ConformanceRunner.Run(hypervisor, options with { Progress = result => output.WriteLine(Line(result)) });
        string filter = options.Filter ?? "";
        int cases = options.Cases.Count(conformanceCase => conformanceCase.Id.Contains(filter, StringComparison.OrdinalIgnoreCase));
        int formats = options.SlatFormats?.Count ?? ConformanceRunner.DefaultFormats(hypervisor.Capabilities).Count;
        int total = Math.Max(1, cases * formats);
        Progress progress = TextConsole.Create(output, true).Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn());
        return progress.AutoClear(true).Start(context =>
        {
            ProgressTask task = context.AddTask(Markup.Escape(hypervisor.Name), maxValue: total);
            int failed = 0;
            return ConformanceRunner.Run(hypervisor, options with
            {
                Progress = result =>
                {
                    failed += result.Outcome == CaseOutcome.Failed ? 1 : 0;
                    task.Increment(1);
                    task.Description = Markup.Escape(string.Create(CultureInfo.InvariantCulture, $"{result.Case.Suite}: {task.Value:0} of {total}, {failed} failed"));
                },
            });
        });
    }

    private static string Line(CaseResult result)
    {
        string outcome = result.Outcome switch
        {
            CaseOutcome.Passed => "passed ",
            CaseOutcome.Failed => "FAILED ",
            CaseOutcome.Skipped => "skipped",
            _ => "absent ",
        };
        string line = string.Create(CultureInfo.InvariantCulture, $"{outcome} {result.Duration.TotalMilliseconds,8:0.0} ms  {result.Name}");
        return result.Outcome is CaseOutcome.Skipped or CaseOutcome.Absent ? $"{line}: {result.Message.ReplaceLineEndings(" ")}" : line;
    }
}
