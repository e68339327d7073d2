using System.Collections.Immutable;

namespace Vmm.Replay;

/// <summary>A guest on two backends at once.</summary>
public sealed class LockstepPartition : IPartition
{
    private readonly LockstepProcessor[] _processors;
    private readonly SortedDictionary<string, ulong> _tolerated = new(StringComparer.Ordinal);

    internal LockstepPartition(LockstepHypervisor hypervisor, PartitionOptions options, IPartition first, IPartition second)
    {
        Hypervisor = hypervisor;
        Options = options;
        First = first;
        Second = second;
        Mirror = new MemoryMirror(first, second);
        Memory = new LockstepMemory(this);
        Source = new LockstepInterruptSource(this);
        _processors = [.. first.Processors.Select((processor, index) => new LockstepProcessor(this, processor, second.Processors[index]))];
        if (first.VirtualTime is not null)
            Time = new LockstepTime(this);
    }

    /// <summary>The two backends.</summary>
    public LockstepHypervisor Hypervisor { get; }

    /// <inheritdoc/>
    public PartitionOptions Options { get; }

    /// <inheritdoc/>
    public HypervisorCapabilities Capabilities => Hypervisor.Capabilities;

    /// <summary>The guest on the first backend.</summary>
    public IPartition First { get; }

    /// <summary>The guest on the second backend.</summary>
    public IPartition Second { get; }

    /// <summary>Where they differed; null = nowhere yet.</summary>
    public LockstepDivergence? Divergence { get; internal set; }

    /// <summary>Comparisons made.</summary>
    public ulong Comparisons { get; internal set; }

    /// <summary>Runs that were not compared, because the client cancelled them and changed state before they came to an exit.</summary>
    public ulong Uncompared { get; internal set; }

    /// <summary>Known differences that were met, by name, and how often.</summary>
    public IReadOnlyDictionary<string, ulong> Tolerated => _tolerated.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ISecondLevelAddressTranslation Memory { get; }

    /// <inheritdoc/>
    public IReadOnlyList<IVirtualProcessor> Processors => _processors;

    /// <inheritdoc/>
    public IVirtualTime? VirtualTime => Time;

    /// <inheritdoc/>
    public IExternalInterruptSource? ExternalInterruptSource
    {
        get => Source.Client;
        set
        {
            Source.Client = value;
            First.ExternalInterruptSource = Source.First;
            Second.ExternalInterruptSource = Source.Second;
        }
    }

    internal MemoryMirror Mirror { get; }

    internal LockstepInterruptSource Source { get; }

    internal LockstepTime? Time { get; }

    /// <summary>Stretches between comparisons that have been begun: who is not in the last one cannot run it again.</summary>
    internal ulong Stretches { get; set; }

    /// <inheritdoc/>
    public GuestMemory AllocateMemory(ulong length, GuestMemoryOptions options = GuestMemoryOptions.None) => First.AllocateMemory(length, options);

    /// <summary>Nothing is needed: the source is looked at when a processor is run.</summary>
    public void NotifyExternalInterrupt()
    {
    }

    /// <inheritdoc/>
    public void RequestInterrupt(in InterruptRequest request)
    {
        Align();
        First.RequestInterrupt(in request);
        Second.RequestInterrupt(in request);
    }

    /// <inheritdoc/>
    public void Pause()
    {
        First.Pause();
        Second.Pause();
    }

    /// <inheritdoc/>
    public void Resume()
    {
        First.Resume();
        Second.Resume();
    }

    /// <inheritdoc/>
    public void Reset(bool keepMemory)
    {
        Align();
        First.Reset(keepMemory);
        Second.Reset(keepMemory);
        foreach (LockstepProcessor processor in _processors)
            processor.AfterReset();
    }

    /// <inheritdoc/>
    public void SuspendTime()
    {
        Capabilities.Require(Capability.TimeControl);
        First.SuspendTime();
        Second.SuspendTime();
    }

    /// <inheritdoc/>
    public void ResumeTime()
    {
        Capabilities.Require(Capability.TimeControl);
        First.ResumeTime();
        Second.ResumeTime();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        Mirror.Dispose();
    }

    /// <summary>
    /// Before the client changes something: processors of which only the first backend's has run on are brought together.
    /// </summary>
    internal void Align()
    {
        foreach (LockstepProcessor processor in _processors)
            processor.Align();
    }

    internal void Tolerate(string name) => _tolerated[name] = _tolerated.GetValueOrDefault(name) + 1;
}
