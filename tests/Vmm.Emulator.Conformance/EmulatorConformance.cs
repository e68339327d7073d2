using Vmm.Conformance;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace Vmm.Emulator.Conformance;

/// <summary>Makes the emulator.</summary>
public sealed class EmulatorFixture : HypervisorFixture
{
    protected override string Name => "emulator";

    protected override (IHypervisor? Hypervisor, string Reason) Create() => (new EmulatorHypervisor(), "");
}

/// <summary>The kit's cases on the emulator, with EPT and with NPT.</summary>
public sealed class EmulatorConformance(EmulatorFixture fixture, ITestOutputHelper output) : HypervisorConformance<EmulatorFixture>(fixture,
    output);

/// <summary>The same with the fuller processor model, so that what the default model lacks is tried as well.</summary>
public sealed class EmulatorProfileConformance
{
    [Fact]
    public void Every_case_holds_with_profile_v3_and_none_is_skipped()
    {
        ConformanceOptions options = new() { CpuProfile = CpuProfiles.V3 };
        ConformanceReport report = ConformanceRunner.Run(new EmulatorHypervisor(), options);
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain())).Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().Be(report.Results.Count);
    }
}
