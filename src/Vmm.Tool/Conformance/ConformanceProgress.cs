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
        Progress progress = TextConsole.Create(output, true).Progress();
        return progress.AutoClear(true).Start(context =>
        {
            ProgressTask task = context.AddTask(hypervisor.Name, maxValue: Math.Max(1, cases * formats));
            return ConformanceRunner.Run(hypervisor, options with
            {
                Progress = result =>
                {
                    task.Description = result.Case.Suite;
                    task.Increment(1);
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
