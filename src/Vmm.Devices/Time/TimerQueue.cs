namespace Vmm.Devices;

/// <summary>Armed timers by deadline, and by order of arming among equals. The owner locks.</summary>
internal sealed class TimerQueue
{
    private readonly PriorityQueue<(QueuedTimer Timer, long Generation), (long Deadline, long Generation)> _queue = new();
    private long _generation;

    public int ArmedCount { get; private set; }

    public void Arm(QueuedTimer timer, long deadline)
    {
        if (timer.Generation == 0)
            ArmedCount++;
        timer.Generation = ++_generation;
        timer.Deadline = deadline;
        // A timer armed over and over leaves stale entries behind: they are dropped when they reach the head, or here when they pile up.
        if (_queue.Count > 64 + 4 * ArmedCount)
            DropStale();
        _queue.Enqueue((timer, timer.Generation), (deadline, timer.Generation));
    }

    public void Disarm(QueuedTimer timer)
    {
        if (timer.Generation == 0)
            return;
        timer.Generation = 0;
        ArmedCount--;
    }

    /// <summary>The earliest deadline, or null when nothing is armed.</summary>
    public long? NextDeadline
    {
        get
        {
            while (_queue.TryPeek(out (QueuedTimer Timer, long Generation) entry, out (long Deadline, long Generation) key))
            {
                if (entry.Timer.Generation == entry.Generation)
                    return key.Deadline;
                _queue.Dequeue();
            }
            return null;
        }
    }

    /// <summary>Takes the earliest timer if its deadline is not after <paramref name="now"/>.</summary>
    public QueuedTimer? TakeDue(long now)
    {
        if (NextDeadline is not { } deadline || deadline > now)
            return null;
        QueuedTimer timer = _queue.Dequeue().Timer;
        Disarm(timer);
        return timer;
    }

    private void DropStale()
    {
        (QueuedTimer Timer, long Generation)[] live =
            [.. _queue.UnorderedItems.Select(item => item.Element).Where(element => element.Timer.Generation == element.Generation)];
        _queue.Clear();
        foreach ((QueuedTimer Timer, long Generation) element in live)
            _queue.Enqueue(element, (element.Timer.Deadline, element.Generation));
    }
}
