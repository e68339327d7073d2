using Vmm.Testing;

namespace Vmm.Core.Tests.Catalog;

public sealed class DeepProbeTests
{
    // What a correct backend leaves behind: 0x123 + 0x456 in AX, RIP past the seven bytes of code.
    private static readonly ScriptedStep Correct = ScriptedStep.Halt.With(Register.Rax, 0x579).With(Register.Rip, 0x1007);

    [Fact]
    public void Guest_that_ends_as_it_must_makes_the_backend_available() =>
        DeepProbe.Run(new ScriptedHypervisor { Script = [Correct] }).IsAvailable.Should().BeTrue();

    [Fact]
    public void Wrong_result_is_told()
    {
        ProbeResult result = DeepProbe.Run(new ScriptedHypervisor { Script = [Correct.With(Register.Rax, 0x578)] });
        result.IsAvailable.Should().BeFalse();
        result.Reason.Should().Contain("AX = 0x578").And.Contain("0x579");
    }

    [Fact]
    public void Other_exit_is_told()
    {
        ProbeResult result = DeepProbe.Run(new ScriptedHypervisor { Script = [ScriptedStep.Shutdown] });
        result.Reason.Should().Contain("Shutdown");
    }

    [Fact]
    public void Refusal_of_the_platform_is_told_with_its_hint()
    {
        FakeProvider provider = new("kvm", ProbeResult.Available, _ => throw new HypervisorException("kvm", "KVM_CREATE_VM", 12, null, "Free some memory."));
        HypervisorReport report = new HypervisorCatalog()
            .Add(provider).Add(new FakeProvider("scripted", ProbeResult.Available, _ => new ScriptedHypervisor { Script = [Correct] }))
            .Add(new FakeProvider("whp", ProbeResult.Unavailable("no Windows"))).ProbeDeeply();
        report.Entries[0].Result.Reason.Should().Contain("KVM_CREATE_VM");
        report.Entries[0].Result.Fix.Should().Be("Free some memory");
        report.Entries[1].Result.IsAvailable.Should().BeTrue();
        report.Entries[2].Result.Reason.Should().Be("no Windows");
    }
}
