namespace Vmm.Devices;

/// <summary>A request for direct memory access, as the guest put it into its memory.</summary>
/// <param name="Control">Bit 1 reads, 2 skips, 3 selects the key in bits 16-31, 4 writes.</param>
/// <param name="Length">Bytes to move.</param>
/// <param name="Address">Guest-physical address to move them to.</param>
internal readonly record struct FirmwareConfigurationCommand(uint Control, uint Length, ulong Address)
{
    public bool Reads => (Control & 2) != 0;

    public bool Skips => (Control & 4) != 0;

    public bool Selects => (Control & 8) != 0;

    public bool Writes => (Control & 16) != 0;

    public ushort Key => (ushort)(Control >> 16);
}
