using System.Globalization;
using Vmm.Conformance;
using Vmm.Conformance.Xunit;
using Vmm.Emulator;
using Vmm.WindowsHypervisor.Simulator;
using Xunit.Abstractions;

namespace Vmm.WindowsHypervisor.Conformance;

/// <summary>The Windows backend over the simulated platform, all functions there.</summary>
public sealed class SimulatorFixture : HypervisorFixture
{
    protected override string Name => WindowsHypervisorSimulator.BackendName;

    protected override (IHypervisor? Hypervisor, string Reason) Create() => (new WindowsHypervisorSimulator(new EmulatorHypervisor()), "");

    public override ConformanceOptions Options { get; } = new() { CpuProfile = CpuProfiles.V3 };
}

/// <summary>The kit's cases on it.</summary>
public sealed class SimulatorConformance(SimulatorFixture fixture, ITestOutputHelper output) : HypervisorConformance<SimulatorFixture>(fixture, output);

/// <summary>The kit as a whole: what is absent, an old platform, and a platform that disturbs.</summary>
public sealed class SimulatorProfileConformance(ITestOutputHelper output)
{
    private const int Draws = 150;

    [Fact]
    public void Every_case_holds_with_the_fullest_profile_and_few_are_absent()
    {
        WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor());
        ConformanceReport report = ConformanceRunner.Run(simulator, new ConformanceOptions { CpuProfile = CpuProfiles.V3 });
        Print(report);
        Failures(report).Should().BeEmpty();
        report.Count(CaseOutcome.Absent).Should().BeLessThanOrEqualTo(report.Results.Count / 20);
        simulator.Faults.Should().BeEmpty();
    }

    [Theory]
    [InlineData(WindowsRelease.Windows10Version1803)]
    [InlineData(WindowsRelease.Windows10Version22H2)]
    public void Every_case_holds_or_is_absent_on_earlier_releases_of_the_platform(WindowsRelease release)
    {
        WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor(), new SimulatorOptions { Release = release });
        ConformanceReport report = ConformanceRunner.Run(simulator, new ConformanceOptions());
        Print(report);
        Failures(report).Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeGreaterThan(report.Results.Count / 2);
        simulator.Faults.Should().BeEmpty();
    }

    /// <summary><c>VMM_DISTURBANCE_SEED</c> and <c>VMM_DISTURBANCE_COUNT</c> choose which draws and how many.</summary>
    [Fact]
    public void Single_cases_hold_on_a_platform_that_cancels_by_itself_and_keeps_instruction_bytes_back()
    {
        int seed = Number("VMM_DISTURBANCE_SEED", 20_261_122), count = Number("VMM_DISTURBANCE_COUNT", Draws);
        Random random = new(seed);
        List<string> failures = [];
        for (int draw = 0; draw < count; draw++)
        {
            ConformanceCase chosen = ConformanceCatalog.All[random.Next(ConformanceCatalog.All.Count)];
            int disturbance = random.Next();
            WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor(), new SimulatorOptions { DisturbanceSeed = disturbance });
            ConformanceReport report = ConformanceRunner.Run(simulator, new ConformanceOptions { Filter = chosen.Id });
            failures.AddRange(report.Failures.Select(failure => $"draw {draw}, disturbance {disturbance}: {failure.Explain()}"));
        }
        output.WriteLine($"VMM_DISTURBANCE_SEED={seed} VMM_DISTURBANCE_COUNT={count}: {failures.Count} failures");
        failures.Should().BeEmpty();
    }

    private void Print(ConformanceReport report)
    {
        output.WriteLine(report.Summary);
        foreach (CaseResult absent in report.Results.Where(result => result.Outcome == CaseOutcome.Absent))
            output.WriteLine($"absent: {absent.Case.Id}: {absent.Message}");
    }

    private static string Failures(ConformanceReport report) =>
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain()));

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
