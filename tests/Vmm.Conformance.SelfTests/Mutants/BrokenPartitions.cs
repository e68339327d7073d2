using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>Reset that leaves the processors alone.</summary>
internal sealed class ResetDoesNothing(
    DecoratedHypervisor hypervisor, IPartition inner, Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor>? processor)
    : BrokenPartition(hypervisor, inner, processor)
{
    public override void Reset(bool keepMemory)
    {
    }
}

/// <summary>Pause that lets the guest run on.</summary>
internal sealed class PauseDoesNothing(
    DecoratedHypervisor hypervisor, IPartition inner, Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor>? processor)
    : BrokenPartition(hypervisor, inner, processor)
{
    private int _pauses;

    public override void Pause() => _pauses++;

    public override void Resume()
    {
        if (--_pauses < 0)
            throw new InvalidOperationException("Not paused.");
    }
}
