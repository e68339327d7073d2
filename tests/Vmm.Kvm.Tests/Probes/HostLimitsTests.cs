using Vmm.Emulator;
using Vmm.Kvm.Probes;

namespace Vmm.Kvm.Tests.Probes;

/// <summary>The probes on a backend that does everything, and on ones that lose something.</summary>
public sealed class HostLimitsTests
{
    [Fact]
    public void Where_everything_is_as_on_hardware_nothing_is_lost()
    {
        HostLimits limits = HostLimits.Measure(new EmulatorHypervisor());
        string.Join(Environment.NewLine, limits.Results.Where(result => !result.Holds)).Should().BeEmpty();
        limits.Results.Should().HaveCount(ProbeCatalog.All.Count);
        Lost(limits).Should().BeEmpty();
        limits.Allows(Capability.LegacyPaging).Should().BeTrue();
        limits.InstructionsPerSecond.Should().BeGreaterThan(0);
    }

    [Fact]
    public void Every_probe_fails_where_its_guest_does_not_run()
    {
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(new EmulatorHypervisor(), _ => Fault.Fails));
        limits.Results.Should().OnlyContain(result => !result.Holds && result.Observed.StartsWith("Failed", StringComparison.Ordinal));
        limits.Quirks.Select(quirk => quirk.Name).Should().BeEquivalentTo(
            ProbeCatalog.All.Select(probe => probe.Quirk.Name).Append(Quirk.EmulatedProcessor.Name).Distinct());
        limits.Allows(Capability.LegacyPaging).Should().BeFalse();
    }

    [Fact]
    public void What_the_platform_does_not_run_is_a_quirk_with_its_bytes_and_its_exit()
    {
        // Like a kernel whose emulator knows no x87: it gives up at D9 E8.
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(
            new EmulatorHypervisor(), code => code.IndexOf((ReadOnlySpan<byte>)[0xD9, 0xE8]) >= 0 ? Fault.Fails : Fault.None));
        Lost(limits).Select(quirk => quirk.Name).Should().BeEquivalentTo(Quirk.SupervisorX87.Name, Quirk.UserX87.Name, Quirk.LegacyUserCode.Name);
        QuirkEvidence evidence = limits.Quirks.Single(quirk => quirk.Name == Quirk.SupervisorX87.Name).Evidence[0];
        evidence.ToString().Should().Contain("DBE3D9E8").And.Contain("observed Failed").And.Contain("expected the answer 0x2");
        limits.Allows(Capability.LegacyPaging).Should().BeTrue();
    }

    [Fact]
    public void A_guest_that_hangs_is_cancelled_at_the_deadline()
    {
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(
            new EmulatorHypervisor(), code => code is [0x0F, 0x01, 0xC1 or 0xD9, ..] ? Fault.Hangs : Fault.None));
        Quirk quirk = Lost(limits).Should().ContainSingle().Subject;
        quirk.Name.Should().Be(Quirk.HypercallsAnswered.Name);
        quirk.Evidence.Should().HaveCount(2).And.OnlyContain(evidence => evidence.Observed.Contains("no exit within 150 ms"));
    }

    [Fact]
    public void A_wrong_answer_is_shown_beside_the_right_one()
    {
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(
            new EmulatorHypervisor(), code => code is [0xB8, 0x01, 0, 0, 0, 0x31, 0xC9, 0x0F, 0xA2, ..] ? Fault.WrongAnswer : Fault.None));
        Quirk quirk = Lost(limits).Should().ContainSingle().Subject;
        quirk.Name.Should().Be(Quirk.CpuidUnmasked.Name);
        foreach (QuirkEvidence evidence in quirk.Evidence)
            evidence.Observed.Should().StartWith("the answer 0x").And.NotStartWith(evidence.Expected);
    }

    [Fact]
    public void A_loop_that_crawls_is_an_emulated_processor()
    {
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(
            new EmulatorHypervisor(), code => code.SequenceEqual(SpeedProbe.Probe.Code) ? Fault.Crawls : Fault.None));
        Quirk quirk = limits.Quirks.Should().ContainSingle().Subject;
        quirk.Name.Should().Be(Quirk.EmulatedProcessor.Name);
        limits.InstructionsPerSecond.Should().BeLessThan(SpeedProbe.Slow);
        quirk.Evidence[0].Observed.Should().EndWith("million");
    }

    [Fact]
    public void A_platform_that_refuses_a_mode_loses_it()
    {
        HostLimits limits = HostLimits.Measure(new FaultyHypervisor(
            new EmulatorHypervisor(), code => code is [0xC7, 0x03, ..] ? Fault.Shutdown : Fault.None));
        Quirk quirk = Lost(limits).Should().ContainSingle().Subject;
        quirk.Name.Should().Be(Capability.LegacyPaging.Name);
        limits.Allows(Capability.LegacyPaging).Should().BeFalse();
        quirk.Evidence.Should().OnlyContain(evidence => evidence.Observed.StartsWith("Shutdown"));
    }

    // Not the speed: a busy machine may be as slow as an emulated processor.
    private static IEnumerable<Quirk> Lost(HostLimits limits) => limits.Quirks.Where(quirk => quirk.Name != Quirk.EmulatedProcessor.Name);
}
