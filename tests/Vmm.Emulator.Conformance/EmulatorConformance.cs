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
