namespace Vmm.Devices;

/// <summary>How a virtio device reaches its driver. Called with no lock of the device held.</summary>
internal interface IVirtioTransport
{
    /// <summary>Requests of some queues were completed.</summary>
    /// <param name="queues">Bit n = queue n.</param>
    void SignalQueues(uint queues);

    /// <summary>The device's configuration or status changed.</summary>
    void SignalConfiguration();
}
