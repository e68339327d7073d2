using System.Numerics;

namespace Vmm.Devices;

/// <summary>A window of a PCI function that the guest places: a base address register.</summary>
public sealed class PciBar
{
    /// <summary>The largest window, in bytes: 1 GiB.</summary>
    public const ulong MaximumSize = 1ul << 30;

    /// <summary>Describes a window.</summary>
    /// <param name="index">The register, 0-5; a 64-bit one takes the next too.</param>
    /// <param name="kind">What it decodes.</param>
    /// <param name="size">Bytes or ports: a power of two, 4 to 256 for ports, 16 to <see cref="MaximumSize"/> for memory.</param>
    /// <param name="target">What answers, by offset in the window.</param>
    public PciBar(int index, PciBarKind kind, ulong size, IMmioDevice target)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, kind == PciBarKind.Memory64 ? 4 : 5);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, kind == PciBarKind.Io ? 4ul : 16ul);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, kind == PciBarKind.Io ? 256ul : MaximumSize);
        if (!BitOperations.IsPow2(size))
            throw new ArgumentException($"The size of a window is a power of two, and {size} is not.", nameof(size));
        Index = index;
        Kind = kind;
        Size = size;
        Target = target;
    }

    /// <summary>The register, 0-5.</summary>
    public int Index { get; }

    /// <summary>What it decodes.</summary>
    public PciBarKind Kind { get; }

    /// <summary>Bytes, or ports.</summary>
    public ulong Size { get; }

    /// <summary>What answers.</summary>
    public IMmioDevice Target { get; }

    /// <summary>Where the window answers now; null = nowhere: decoding is off, or something else is there.</summary>
    public ulong? Address { get; internal set; }

    /// <summary>Offset of its register in configuration space.</summary>
    internal int Offset => 0x10 + Index * 4;

    /// <summary>The bits that say what it is.</summary>
    internal uint TypeBits => Kind switch
    {
        PciBarKind.Io => 1,
        PciBarKind.Memory64 => 4,
        _ => 0,
    };

    internal IDisposable? Registration { get; set; }
}
