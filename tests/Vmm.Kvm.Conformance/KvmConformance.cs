using Vmm.Conformance;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace Vmm.Kvm.Conformance;

/// <summary>This host's KVM, or why it cannot be used.</summary>
public class KvmFixture : HypervisorFixture
{
    protected override string Name => KvmBackend.BackendName;

    protected virtual string Settings => "assist=on";

    protected override (IHypervisor? Hypervisor, string Reason) Create()
    {
        KvmProvider provider = new();
        ProbeResult result = provider.Probe();
        return result.IsAvailable ? (provider.Create(HypervisorOptions.Parse(Settings)), "") : (null, $"{result.Reason}; {result.Fix}");
    }
}

/// <summary>The same without the instruction assist.</summary>
public sealed class BareKvmFixture : KvmFixture
{
    protected override string Settings => "assist=off";
}

/// <summary>The kit's cases on it.</summary>
public sealed class KvmConformance(KvmFixture fixture, ITestOutputHelper output) : HypervisorConformance<KvmFixture>(fixture, output);

/// <summary>The kit as a whole: how much of it there is, and what the assist brings.</summary>
public sealed class KvmReport(KvmFixture assisted, BareKvmFixture bare, ITestOutputHelper output) : IClassFixture<KvmFixture>, IClassFixture<BareKvmFixture>
{
    [SkippableFact]
    public void Most_cases_pass_and_those_that_are_absent_show_why()
    {
        ConformanceReport report = Run(assisted.Hypervisor);
        report.Count(CaseOutcome.Passed).Should().BeGreaterThanOrEqualTo(100);
        report.Count(CaseOutcome.Absent).Should().BeLessThanOrEqualTo(report.Results.Count / 4);
        foreach (CaseResult absent in report.Results.Where(result => result.Outcome == CaseOutcome.Absent))
            absent.Message.Should().MatchRegex("probe '.+' ran [0-9A-F]+: expected .+, observed .+|Asked for it, it said: |does not declare");
    }

    [SkippableFact]
    public void Without_the_assist_no_case_fails_either()
    {
        ConformanceReport report = Run(bare.Hypervisor);
        report.Count(CaseOutcome.Passed).Should().BeGreaterThanOrEqualTo(100);
    }

    private ConformanceReport Run(IHypervisor hypervisor)
    {
        ConformanceReport report = ConformanceRunner.Run(hypervisor);
        output.WriteLine(report.Summary);
        foreach (CaseResult result in report.Results.Where(result => result.Outcome is CaseOutcome.Absent or CaseOutcome.Skipped))
            output.WriteLine($"{result.Outcome.ToString().ToLowerInvariant()}: {result.Case.Id}: {result.Message}");
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain())).Should().BeEmpty();
        return report;
    }
}
