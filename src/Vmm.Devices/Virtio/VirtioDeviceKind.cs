namespace Vmm.Devices;

/// <summary>Kinds of virtio devices, by their number (Virtual I/O Device 1.2, chapter 5).</summary>
public enum VirtioDeviceKind
{
    /// <summary>Network card.</summary>
    Network = 1,

    /// <summary>Disk.</summary>
    Block = 2,

    /// <summary>Console.</summary>
    Console = 3,

    /// <summary>Source of random numbers.</summary>
    Entropy = 4,
}
