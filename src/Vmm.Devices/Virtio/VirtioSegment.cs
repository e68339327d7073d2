namespace Vmm.Devices;

/// <summary>A piece of a request's buffer.</summary>
/// <param name="Address">Guest-physical address; not checked yet.</param>
/// <param name="Length">Bytes; may be 0.</param>
public readonly record struct VirtioSegment(ulong Address, uint Length);
