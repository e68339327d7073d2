using Vmm.Emulator;
using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>The kit on a backend whose processors are cancelled all the time by somebody whom neither guest nor client knows.</summary>
[Collection(EmulatorCollection.Name)]
public sealed class ChaosTests
{
    [Fact]
    public void Every_case_holds_in_storms_of_cancels()
    {
        ChaosHypervisor hypervisor = new(new EmulatorHypervisor(), new() { Seed = 20_261_122, CancelStorms = 1 });
        ConformanceReport report = ConformanceRunner.Run(hypervisor, new() { SlatFormats = [SlatFormat.Ept] });
        string.Join(Environment.NewLine, report.Failures.Select(failure => failure.Explain())).Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeGreaterThan(200);
        hypervisor.Counts.CancelStorms.Should().BeGreaterThan(100);
        hypervisor.Counts.HiddenCancels.Should().BeGreaterThan(500);
    }

    [Fact]
    public void Cancels_that_reach_the_client_are_found_out()
    {
        ChaosHypervisor hypervisor = new(new EmulatorHypervisor(), new() { Seed = 1, SpuriousCancels = 0.5 });
        ConformanceReport report = ConformanceRunner.Run(hypervisor, new() { SlatFormats = [SlatFormat.Ept], Filter = "cancel.", StopAtFirstFailure = true, Timeout = TimeSpan.FromSeconds(2) });
        report.Failures.Should().NotBeEmpty("an exit without a reason breaks the contract");
    }
}
