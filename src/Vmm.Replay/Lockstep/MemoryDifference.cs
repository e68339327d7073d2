namespace Vmm.Replay;

/// <summary>A byte of guest-physical memory that differs.</summary>
/// <param name="Address">Guest-physical address.</param>
/// <param name="First">The first backend's.</param>
/// <param name="Second">The second backend's.</param>
public sealed record MemoryDifference(ulong Address, byte First, byte Second)
{
    /// <inheritdoc/>
    public override string ToString() => $"memory at 0x{Address:X}: 0x{First:X2} and 0x{Second:X2}";
}
