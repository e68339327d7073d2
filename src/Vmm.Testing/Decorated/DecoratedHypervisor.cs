namespace Vmm.Testing;

/// <summary>
/// A backend in front of another one, forwarding everything. Derive from it and from <see cref="DecoratedPartition"/>,
/// <see cref="DecoratedProcessor"/> and <see cref="DecoratedMemory"/> to change one behaviour: to break it on purpose, to record it, to
/// disturb it.
/// </summary>
/// <param name="inner">The backend behind.</param>
public class DecoratedHypervisor(IHypervisor inner) : IHypervisor
{
    /// <summary>The backend behind.</summary>
    public IHypervisor Inner { get; } = inner ?? throw new ArgumentNullException(nameof(inner));

    /// <inheritdoc/>
    public virtual string Name => Inner.Name;

    /// <inheritdoc/>
    public virtual HypervisorCapabilities Capabilities => Inner.Capabilities;

    /// <inheritdoc/>
    public virtual IPartition CreatePartition(PartitionOptions options) => Decorate(Inner.CreatePartition(options));

    /// <summary>Puts the decorator in front of a new partition.</summary>
    protected virtual IPartition Decorate(IPartition partition) => new DecoratedPartition(this, partition);
}
