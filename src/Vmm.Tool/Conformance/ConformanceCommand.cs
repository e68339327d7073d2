using System.CommandLine;
using System.Text;
using Vmm.Conformance;

namespace Vmm.Tool.Conformance;

/// <summary><c>vmm conformance</c>: the kit against one backend.</summary>
internal static class ConformanceCommand
{
    private static readonly Option<string> Backend = new("--backend")
    {
        Description = "auto, emulator, kvm, whp or whp-simulator; with options: NAME:key=value,...",
        HelpName = "NAME",
        DefaultValueFactory = _ => "auto",
    };

    private static readonly Option<string?> Slat = new("--slat")
    {
        Description = "Nested page table formats to run every case with; both is the default where the backend has a choice.",
        HelpName = "ept|npt|both",
    };

    private static readonly Option<string?> Cpu = new("--cpu")
    {
        Description = "CPU profile of the guests; the fullest that the backend has is the default.", HelpName = "v1|v2|v3",
    };

    private static readonly Option<string?> Report = new("--report")
    {
        Description = "Write a report: a matrix as .md, everything as .json.", HelpName = "FILE.json|.md",
    };

    private static readonly Option<string?> Filter = new("--filter")
    {
        Description = "Run only cases whose identifier contains this text.", HelpName = "TEXT",
    };

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print the report as JSON; progress and the summary go to standard error.",
    };

    public static Command Create(StandardStreams streams)
    {
        Command command = new("conformance", """
            Proves that a backend behaves as the contract says. The last line is 'N passed, N failed, N skipped, N absent'.
            Exit status: 0 all passed, 10 some failed, 4 backend unavailable, 2 wrong usage or no case ran.
            """)
        {
            Backend, Slat, Cpu, Report, Filter, Json,
        };
        command.SetAction(parsed => Execute(parsed, streams));
        return command;
    }

    private static int Execute(ParseResult parsed, StandardStreams streams)
    {
        IReadOnlyList<SlatFormat>? formats = ParseFormats(parsed.GetValue(Slat));
        string? path = parsed.GetValue(Report);
        bool json = parsed.GetValue(Json);
        IHypervisor hypervisor = Backends.Create(parsed.GetValue(Backend)!);
        using ReportFile? file = path is null ? null : ReportFile.Create(path);
        CpuProfile? profile = ParseProfile(parsed.GetValue(Cpu), hypervisor.Capabilities);
        ConformanceOptions options = new() { Filter = parsed.GetValue(Filter), SlatFormats = formats, CpuProfile = profile };
        TextWriter text = json ? streams.Error : streams.Text;
        ConformanceReport report;
        try
        {
            report = ConformanceProgress.Run(hypervisor, options, text, json ? streams.IsErrorTerminal : streams.IsTextTerminal);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--slat: {e.Message}", e);
        }
        file?.Write(report);
        if (json)
        {
            using MemoryStream buffer = new();
            report.WriteJson(buffer);
            streams.Text.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
        }
        foreach (CaseResult failure in report.Failures)
        {
            text.WriteLine();
            text.WriteLine(failure.Explain());
        }
        if (report.Results.Count == 0)
            streams.Error.WriteLine($"vmm: no case's identifier contains '{options.Filter}'.");
        text.WriteLine(report.Summary);
        if (report.Results.Count == 0)
            return ExitStatus.Usage;
        return report.Count(CaseOutcome.Failed) == 0 ? ExitStatus.Success : ExitStatus.CasesFailed;
    }

    private static CpuProfile? ParseProfile(string? text, HypervisorCapabilities capabilities)
    {
        if (text is null)
            return Backends.FullestProfile(capabilities);
        return capabilities.CpuProfiles.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? CpuProfiles.ByName(text)
            : throw new UsageException($"--cpu {text}: the {capabilities.Backend} backend has {string.Join(", ", capabilities.CpuProfiles)}.");
    }

    private static SlatFormat[]? ParseFormats(string? text) => text switch
    {
        null => null,
        "ept" => [SlatFormat.Ept],
        "npt" => [SlatFormat.Npt],
        "both" => [SlatFormat.Ept, SlatFormat.Npt],
        _ => throw new UsageException($"--slat '{text}' must be ept, npt or both."),
    };
}
