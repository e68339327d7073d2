namespace Vmm.Devices;

/// <summary>The clock a <see cref="QueuedTimer"/> belongs to.</summary>
internal interface IQueuedTimerOwner
{
    void Arm(QueuedTimer timer, long deadline);

    void Disarm(QueuedTimer timer);
}
