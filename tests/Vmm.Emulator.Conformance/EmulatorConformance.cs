using Vmm.Conformance;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace Vmm.Emulator.Conformance;

/// <summary>Makes the emulator.</summary>
public sealed class EmulatorFixture : HypervisorFixture
{
    protected override string Name => "emulator";

    protected override (IHypervisor? Hypervisor, string Reason) Create() => (new EmulatorHypervisor(), "");

    // The smaller models have runs of their own below.
    public override ConformanceOptions Options { get; } = new() { CpuProfile = CpuProfiles.V3 };
}

/// <summary>The kit's cases on the emulator, with EPT and with NPT.</summary>
public sealed class EmulatorConformance(EmulatorFixture fixture, ITestOutputHelper output) : HypervisorConformance<EmulatorFixture>(fixture,
    output);

/// <summary>The same with the smaller processor models: only what a model lacks is skipped.</summary>
public sealed class EmulatorProfileConformance
{
    [Theory]
    [InlineData("v1", 24)]
    [InlineData("v2", 12)]
    public void Every_case_holds_or_needs_what_the_profile_lacks(string profile, int mostSkipped)
    {
        ConformanceOptions options = new() { CpuProfile = CpuProfiles.ByName(profile), SlatFormats = [SlatFormat.Ept] };
        ConformanceReport report = ConformanceRunner.Run(new EmulatorHypervisor(), options);
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain())).Should().BeEmpty();
        report.Count(CaseOutcome.Skipped).Should().BeLessThanOrEqualTo(mostSkipped);
        report.Results.Where(result => result.Outcome == CaseOutcome.Skipped).Should().OnlyContain(result => result.Message.Contains("processor model"));
        report.Count(CaseOutcome.Passed).Should().Be(report.Results.Count - report.Count(CaseOutcome.Skipped));
        report.CpuProfile.Should().Be(profile);
    }
}
