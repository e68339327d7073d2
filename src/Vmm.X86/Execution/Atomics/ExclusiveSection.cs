namespace Vmm.X86.Execution;

/// <summary>
/// Lets one processor of a partition run an instruction while all others stand still at an instruction boundary: locked accesses that the
/// host cannot make as one.
/// </summary>
/// <remarks>Processors that wait for it stand still themselves, so that two that want it do not wait for each other.</remarks>
internal sealed class ExclusiveSection
{
    private readonly Lock _lock = new();
    private volatile ProcessorCore? _holder;

    /// <summary>Begins it: on return no other processor is inside guest code. The caller is not inside either.</summary>
    public void Enter(ProcessorCore holder, ProcessorCore[] processors)
    {
        _lock.Enter();
        _holder = holder;
        foreach (ProcessorCore processor in processors)
        {
            if (processor != holder)
                processor.RequestStandstill();
        }
        Interlocked.MemoryBarrier();
        foreach (ProcessorCore processor in processors)
        {
            if (processor != holder)
                processor.AwaitStandstill();
        }
    }

    /// <summary>Ends it.</summary>
    public void Leave()
    {
        _holder = null;
        _lock.Exit();
    }

    /// <summary>Another processor has it, or is about to.</summary>
    public bool Excludes(ProcessorCore processor) => _holder is { } holder && holder != processor;

    /// <summary>Waits while another processor has it.</summary>
    public void AwaitEnd(ProcessorCore processor)
    {
        while (Excludes(processor))
        {
            _lock.Enter();
            _lock.Exit();
        }
    }
}
