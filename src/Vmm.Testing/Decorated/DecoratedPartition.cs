namespace Vmm.Testing;

/// <summary>A partition in front of another one, forwarding everything. Its processors and memory are decorated as well.</summary>
public class DecoratedPartition : IPartition
{
    private readonly Lazy<ISecondLevelAddressTranslation> _memory;
    private readonly Lazy<IReadOnlyList<IVirtualProcessor>> _processors;

    /// <summary>Makes the decorator.</summary>
    /// <param name="hypervisor">The decorated backend.</param>
    /// <param name="inner">The partition behind.</param>
    public DecoratedPartition(DecoratedHypervisor hypervisor, IPartition inner)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        ArgumentNullException.ThrowIfNull(inner);
        Hypervisor = hypervisor;
        Inner = inner;
        // Not in the constructor: a derived class may not be ready yet.
        _memory = new(() => Decorate(Inner.Memory));
        _processors = new(() => Array.AsReadOnly([.. Inner.Processors.Select(Decorate)]));
    }

    /// <summary>The decorated backend.</summary>
    public DecoratedHypervisor Hypervisor { get; }

    /// <summary>The partition behind.</summary>
    public IPartition Inner { get; }

    /// <inheritdoc/>
    public virtual PartitionOptions Options => Inner.Options;

    /// <inheritdoc/>
    public virtual HypervisorCapabilities Capabilities => Hypervisor.Capabilities;

    /// <inheritdoc/>
    public virtual CpuProfile? CpuProfile => Inner.CpuProfile;

    /// <inheritdoc/>
    public virtual ISecondLevelAddressTranslation Memory => _memory.Value;

    /// <inheritdoc/>
    public virtual IReadOnlyList<IVirtualProcessor> Processors => _processors.Value;

    /// <inheritdoc/>
    public virtual IExternalInterruptSource? ExternalInterruptSource
    {
        get => Inner.ExternalInterruptSource;
        set => Inner.ExternalInterruptSource = value;
    }

    /// <inheritdoc/>
    public virtual GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None) => Inner.AllocateMemory(length, options);

    /// <inheritdoc/>
    public virtual void NotifyExternalInterrupt() => Inner.NotifyExternalInterrupt();

    /// <inheritdoc/>
    public virtual void RequestInterrupt(in InterruptRequest request) => Inner.RequestInterrupt(in request);

    /// <inheritdoc/>
    public virtual void Pause() => Inner.Pause();

    /// <inheritdoc/>
    public virtual void Resume() => Inner.Resume();

    /// <inheritdoc/>
    public virtual void Reset(bool keepMemory) => Inner.Reset(keepMemory);

    /// <inheritdoc/>
    public virtual IVirtualTime? VirtualTime => Inner.VirtualTime;

    /// <inheritdoc/>
    public virtual void SuspendTime() => Inner.SuspendTime();

    /// <inheritdoc/>
    public virtual void ResumeTime() => Inner.ResumeTime();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Puts the decorator in front of the address space; called once.</summary>
    protected virtual ISecondLevelAddressTranslation Decorate(ISecondLevelAddressTranslation memory) => new DecoratedMemory(this, memory);

    /// <summary>Puts the decorator in front of a processor; called once for each.</summary>
    protected virtual IVirtualProcessor Decorate(IVirtualProcessor processor) => new DecoratedProcessor(this, processor);

    /// <summary>Disposes the partition behind.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Inner.Dispose();
    }
}
