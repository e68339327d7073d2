using Vmm.Kvm.Probes;
using Vmm.Kvm.Processors;

namespace Vmm.Kvm.Tests.Running;

public sealed class DebuggingTests
{
    // The kernel tells the client of every debug exception while there are points.
    [SkippableTheory]
    [InlineData("trap flag, 32-bit protected mode")]
    [InlineData("trap flag, 64-bit mode")]
    public void Trap_of_the_guest_is_its_own_while_the_host_has_points(string name)
    {
        KvmBackend backend = KvmBackend.ForProbing(((KvmBackend)KvmHost.Create()).Platform, true);
        Skip.IfNot(backend.Capabilities.Has(Capability.Breakpoints), "The kernel has no breakpoints for its client.");
        LimitProbe probe = ProbeCatalog.All.Single(candidate => candidate.Name == name);
        using ProbeGuest without = new(backend), with = new(backend);
        Vmm.Kvm.Probes.ProbeResult alone = without.Run(probe);
        Skip.IfNot(alone.Holds, alone.ToString());
        with.Run(probe with { HostPoint = new DebugPoint(DebugPointKind.Execute, ProbeLayout.Data) }).Observed.Should().Be(alone.Observed);
    }

    [Theory]
    [InlineData(0, InterruptibilityShadow.None)]
    [InlineData(1, InterruptibilityShadow.MovSs)]
    [InlineData(2, InterruptibilityShadow.Sti)]
    [InlineData(3, InterruptibilityShadow.Sti)]
    public void Shadow_that_is_told_as_both_is_that_of_Sti(byte told, InterruptibilityShadow shadow) =>
        KvmVirtualProcessor.ShadowOf(told).Should().Be(shadow);
}
