namespace Vmm.Testing;

/// <summary>A partition whose processors play scripts.</summary>
public sealed class ScriptedPartition : PartitionBase
{
    private readonly ScriptedProcessor[] _processors;
    private readonly ScriptedMemory _memory;

    internal ScriptedPartition(ScriptedHypervisor hypervisor, PartitionOptions options)
        : base(hypervisor, options)
    {
        _memory = new(this);
        _processors = new ScriptedProcessor[options.ProcessorCount];
        for (int i = 0; i < _processors.Length; i++)
            _processors[i] = new(this, i);
        SetProcessors(_processors);
    }

    /// <inheritdoc/>
    public override ISecondLevelAddressTranslation Memory => _memory;

    /// <summary>The processors with their scripts.</summary>
    public IReadOnlyList<ScriptedProcessor> Scripted => _processors;

    /// <inheritdoc/>
    protected override void ResetCore()
    {
        foreach (ScriptedProcessor processor in _processors)
            processor.ResetState();
    }

    /// <inheritdoc/>
    protected override void DisposeCore() => _memory.Release();
}
