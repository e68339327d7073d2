namespace Vmm.Replay;

/// <summary>Time that both backends count alike.</summary>
internal sealed class LockstepTime(LockstepPartition partition) : IVirtualTime
{
    public ulong Nanoseconds => partition.First.VirtualTime!.Nanoseconds;

    public ulong Limit { get; set; } = ulong.MaxValue;

    public ulong Advance(ulong limit)
    {
        // The two counts may lie apart after a difference that was explained; their distances to what comes next are the same.
        IVirtualTime first = partition.First.VirtualTime!, second = partition.Second.VirtualTime!;
        ulong before = first.Nanoseconds, behind = second.Nanoseconds;
        ulong time = first.Advance(limit);
        if (time != ulong.MaxValue && time > before)
        {
            ulong other = behind + (time - before);
            while (second.Nanoseconds < other)
            {
                ulong now = second.Nanoseconds;
                if (second.Advance(other) <= now)
                    break;
            }
        }
        return time;
    }
}
