using Vmm.Emulator;
using Vmm.Kvm;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.Replay.Tests;

/// <summary>Backends to put beside the emulator.</summary>
internal static class SecondBackends
{
    public static LockstepHypervisor WithNestedPageTables() =>
        new(new EmulatorHypervisor(), new EmulatorHypervisor(), new LockstepOptions { SecondSlatFormat = SlatFormat.Npt });

    public static LockstepHypervisor WithSimulator() =>
        new(new EmulatorHypervisor(), new SimulatorProvider().Create(HypervisorOptions.Empty));

    public static LockstepHypervisor WithKvm(IHypervisor? first = null) =>
        new(first ?? new EmulatorHypervisor(), Kvm(), new LockstepOptions { Tolerances = LockstepTolerances.All });

    /// <summary>KVM; the test is skipped, with the reason, where it cannot be used.</summary>
    public static IHypervisor Kvm()
    {
        KvmProvider provider = new();
        ProbeResult result = provider.Probe();
        if (!result.IsAvailable)
            OutsideTool.Missing("kvm", result.ToString());
        return provider.Create(HypervisorOptions.Empty);
    }
}
