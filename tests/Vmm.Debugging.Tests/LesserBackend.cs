using Vmm.Emulator;
using Vmm.Testing;

namespace Vmm.Debugging.Tests;

/// <summary>The emulator without what the debugging capabilities declare.</summary>
internal sealed class LesserBackend(params Capability[] missing) : DecoratedHypervisor(new EmulatorHypervisor())
{
    public override HypervisorCapabilities Capabilities => new(Inner.Name, Inner.Capabilities.Declared.Except(missing))
    {
        MaximumProcessors = Inner.Capabilities.MaximumProcessors,
        PhysicalAddressBits = Inner.Capabilities.PhysicalAddressBits,
        CpuProfiles = Inner.Capabilities.CpuProfiles,
        SlatFormats = Inner.Capabilities.SlatFormats,
        DebugPointLimit = missing.Contains(Capability.Breakpoints) ? 0 : 2,
    };

    protected override IPartition Decorate(IPartition partition) => new Lesser(this, partition);

    private sealed class Lesser(LesserBackend backend, IPartition inner) : DecoratedPartition(backend, inner)
    {
        public override HypervisorCapabilities Capabilities => backend.Capabilities;
    }
}
