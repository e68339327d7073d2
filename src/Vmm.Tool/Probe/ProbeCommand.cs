using System.CommandLine;
using Vmm.Conformance;
using Vmm.Tool.Conformance;
using Vmm.WindowsHypervisor.Interop.Probing;

namespace Vmm.Tool.Probe;

/// <summary><c>vmm probe</c>: what a Windows platform really does, in one file that can be sent to somebody.</summary>
internal static class ProbeCommand
{
    private static readonly Option<string> Backend = new("--backend")
    {
        Description = "whp, or whp-simulator with options as NAME:key=value,...",
        HelpName = "NAME",
        DefaultValueFactory = _ => "whp",
    };

    private static readonly Option<string> Report = new("--report")
    {
        Description = "The file to write.",
        HelpName = "FILE.json",
        DefaultValueFactory = _ => "whp-probe.json",
    };

    private static readonly Option<string?> Filter = new("--filter")
    {
        Description = "Run only those cases of the kit whose identifier contains this text.", HelpName = "TEXT",
    };

    private static readonly Option<bool> Safe = new("--safe")
    {
        Description = "Leave out misuse for which the platform may end the process.",
    };

    public static Command Create(StandardStreams streams)
    {
        Command command = new("probe", """
            Asks the Windows Hypervisor Platform what it is, tries what its documentation leaves open, runs the conformance kit on it, and
            writes all of it to one JSON file.
            Exit status: 0 no case failed, 10 some did, 4 platform unavailable, 2 wrong usage.
            """)
        {
            Backend, Report, Filter, Safe,
        };
        command.SetAction(parsed => Execute(parsed, streams));
        return command;
    }

    private static int Execute(ParseResult parsed, StandardStreams streams)
    {
        string name = parsed.GetValue(Backend)!, path = parsed.GetValue(Report)!;
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            throw new UsageException($"--report '{path}' must end in .json.");
        IHypervisor hypervisor = Backends.Create(name);
        if (hypervisor is not IProbedPlatform platform)
            throw new UsageException($"--backend: '{hypervisor.Name}' does not run on a Windows platform: whp and whp-simulator do.");
        PlatformProbe probe = platform.CreateProbe();
        ProbeReport report = new(path, hypervisor.Name, probe);

        // What may end the process comes last, when everything else is in the file.
        foreach (PlatformQuestion question in PlatformProbe.Questions.Where(question => !question.MayEndProcess))
            Ask(probe, question, report, streams);
        report.Save("the conformance kit");
        ConformanceOptions options = new() { Filter = parsed.GetValue(Filter), CpuProfile = Backends.FullestProfile(hypervisor.Capabilities) };
        ConformanceReport kit = ConformanceProgress.Run(hypervisor, options, streams.Text, streams.IsTextTerminal);
        report.Add(kit);
        foreach (CaseResult failure in kit.Failures)
            streams.Text.WriteLine($"\n{failure.Explain()}");
        if (!parsed.GetValue(Safe))
        {
            foreach (PlatformQuestion question in PlatformProbe.Questions.Where(question => question.MayEndProcess))
                Ask(probe, question, report, streams);
        }
        report.Save(null);
        streams.Text.WriteLine($"{kit.Summary}; {report.Answered} of {PlatformProbe.Questions.Count} questions answered: {path}");
        return kit.Count(CaseOutcome.Failed) == 0 ? ExitStatus.Success : ExitStatus.CasesFailed;
    }

    private static void Ask(PlatformProbe probe, PlatformQuestion question, ProbeReport report, StandardStreams streams)
    {
        report.Save($"question {question.Id}");
        PlatformAnswer answer = probe.Ask(question);
        report.Add(question, answer);
        streams.Text.WriteLine($"({question.Id}) {question.Text} {answer.Answer ?? "Not to be told on this platform."}");
    }
}
