using Vmm.Conformance;
using Xunit.Abstractions;

namespace Vmm.Kvm.Conformance;

/// <summary>The kit as a whole on KVM: how much of it there is, why the rest is not, and what the assist brings.</summary>
public sealed class KvmReportTests(KvmFixture fixture, ITestOutputHelper output) : IClassFixture<KvmFixture>
{
    [SkippableFact]
    public void Most_cases_pass_and_those_that_are_absent_show_why()
    {
        ConformanceReport report = fixture.Report;
        Print(report);
        report.Failures.Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeGreaterThanOrEqualTo(100);
        report.Count(CaseOutcome.Absent).Should().BeLessThanOrEqualTo(report.Results.Count / 4);
    }

    [SkippableFact]
    public void What_every_such_host_has_passes()
    {
        string[] present =
        [
            "lifecycle.", "registers.", "memory.", "slat.read_only", "slat.dirty", "port.in_forms", "port.rep_outsb", "mmio.sizes",
            "msr.exit", "apic.request", "processors.",
            "cancel.", "modes.real_addressing", "modes.enter_protected", "modes.enter_long", "exceptions.level_switch", "privilege.privileged",
        ];
        foreach (string start in present)
        {
            CaseResult[] results = [.. fixture.Report.Results.Where(result => result.Case.Id.StartsWith(start, StringComparison.Ordinal))];
            results.Should().Contain(result => result.Outcome == CaseOutcome.Passed, "{0} is there everywhere", start);
        }
    }

    [SkippableFact]
    public void Without_the_assist_no_case_fails_either_and_not_more_pass()
    {
        int assisted = fixture.Report.Count(CaseOutcome.Passed);
        (IHypervisor? bare, _) = KvmFixture.Open("assist=off");
        ConformanceReport report = ConformanceRunner.Run(bare!);
        Print(report);
        report.Failures.Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeInRange(100, assisted);
    }

    private void Print(ConformanceReport report)
    {
        output.WriteLine(report.Summary);
        foreach (CaseResult result in report.Results.Where(result => result.Outcome is CaseOutcome.Absent or CaseOutcome.Skipped))
            output.WriteLine($"{result.Outcome.ToString().ToLowerInvariant()}: {result.Case.Id}: {result.Message}");
        foreach (CaseResult failure in report.Failures)
            output.WriteLine(failure.Explain());
    }
}
