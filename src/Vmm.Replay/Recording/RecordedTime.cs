namespace Vmm.Replay;

/// <summary>Counted time that the client drives.</summary>
internal sealed class RecordedTime(RecordingPartition partition, IVirtualTime inner) : IVirtualTime
{
    public ulong Nanoseconds => inner.Nanoseconds;

    // Where a run ended for it is recorded with the run.
    public ulong Limit
    {
        get => inner.Limit;
        set => inner.Limit = value;
    }

    public ulong Advance(ulong limit)
    {
        using HostTurn turn = partition.Enter();
        ulong before = inner.Nanoseconds;
        ulong time = inner.Advance(limit);
        if (time != before)
            partition.RecordAdvance(time);
        return time;
    }
}
