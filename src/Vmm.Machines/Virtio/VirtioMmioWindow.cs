namespace Vmm.Machines;

/// <summary>Where a memory-mapped virtio device is.</summary>
/// <param name="Address">Guest-physical address of its registers.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Line">Its interrupt line, which devices may share: the number of a <see cref="Devices.InterruptRouter"/>'s line.</param>
public readonly record struct VirtioMmioWindow(uint Address, uint Length, int Line);
