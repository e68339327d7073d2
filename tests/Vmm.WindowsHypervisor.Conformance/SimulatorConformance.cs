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
}

/// <summary>The kit's cases on it.</summary>
public sealed class SimulatorConformance(SimulatorFixture fixture, ITestOutputHelper output) : HypervisorConformance<SimulatorFixture>(fixture, output);
