namespace Vmm;

/// <summary>A registered range of guest-physical addresses.</summary>
/// <param name="Address">First address.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Device">The device.</param>
/// <param name="Name">What messages call it.</param>
public sealed record MmioRange(ulong Address, ulong Length, IMmioDevice Device, string Name)
{
    /// <summary>Last address.</summary>
    public ulong Last => Address + (Length - 1);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} at 0x{Address:X}-0x{Last:X}";
}
