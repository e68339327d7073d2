namespace Vmm.Devices;

/// <summary>A timer kept in a <see cref="TimerQueue"/>; its clock's lock guards the fields.</summary>
internal sealed class QueuedTimer(IQueuedTimerOwner owner, Action callback) : IClockTimer
{
    /// <summary>What tells the current arming from stale queue entries; 0 when not armed.</summary>
    public long Generation { get; set; }

    public long Deadline { get; set; }

    public Action Callback { get; } = callback;

    public void Arm(long deadline) => owner.Arm(this, deadline);

    public void Disarm() => owner.Disarm(this);

    public void Dispose() => owner.Disarm(this);
}
