using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>A backend whose processors, memory, partition or capabilities are replaced by broken ones.</summary>
internal sealed class BrokenHypervisor(IHypervisor inner) : DecoratedHypervisor(inner)
{
    public Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor>? Processor { get; init; }

    public Func<DecoratedPartition, ISecondLevelAddressTranslation, ISecondLevelAddressTranslation>? Memory { get; init; }

    public Func<DecoratedHypervisor, IPartition, Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor>?,
        IPartition>? Partition { get; init; }

    public HypervisorCapabilities? Declared { get; init; }

    public override HypervisorCapabilities Capabilities => Declared ?? base.Capabilities;

    protected override IPartition Decorate(IPartition partition) =>
        Partition is null ? new BrokenPartition(this, partition, Processor, Memory) : Partition(this, partition, Processor);
}

/// <summary>A partition with broken processors or broken memory.</summary>
internal class BrokenPartition(
    DecoratedHypervisor hypervisor, IPartition inner, Func<DecoratedPartition, IVirtualProcessor, IVirtualProcessor>? processor = null,
    Func<DecoratedPartition, ISecondLevelAddressTranslation, ISecondLevelAddressTranslation>? memory = null)
        : DecoratedPartition(hypervisor, inner)
{
    protected override IVirtualProcessor Decorate(IVirtualProcessor inner) => processor?.Invoke(this, inner) ?? base.Decorate(inner);

    protected override ISecondLevelAddressTranslation Decorate(ISecondLevelAddressTranslation inner) => memory?.Invoke(this,
        inner) ?? base.Decorate(inner);
}
