namespace Vmm.Machines;

/// <summary>Where a PC's RAM lies: from 0 up to 3 GiB, and what is more from 4 GiB on; the gap is for devices.</summary>
public sealed class MemoryMap
{
    /// <summary>The smallest amount of RAM, in bytes: 1 MiB.</summary>
    public const ulong MinimumSize = 0x10_0000;

    /// <summary>The largest amount of RAM, in bytes: 1 TiB.</summary>
    public const ulong MaximumSize = 0x100_0000_0000;

    private const ulong GapStart = 0xC000_0000;
    private const ulong GapEnd = 0x1_0000_0000;
    private const ulong ExtendedData = 0x9_FC00;
    private const ulong VideoMemory = 0xA_0000;
    private const ulong FirmwareArea = 0xF_0000;
    private const ulong OneMebibyte = 0x10_0000;

    /// <summary>Lays out an amount of RAM.</summary>
    /// <param name="size">Bytes of RAM, a multiple of 4096 from <see cref="MinimumSize"/> to <see cref="MaximumSize"/>.</param>
    public MemoryMap(ulong size)
    {
        if (size is < MinimumSize or > MaximumSize || size % 4096 != 0)
            throw new ArgumentOutOfRangeException(nameof(size), size, "An amount of RAM must be from 1 MiB (1 << 20) to 1 TiB (1 << 40), and a multiple of 4096.");
        Size = size;
        Low = Math.Min(size, GapStart);
        High = size - Low;
        List<MemoryRange> ranges =
        [
            new(0, ExtendedData, MemoryRangeKind.Usable),
            new(ExtendedData, VideoMemory - ExtendedData, MemoryRangeKind.Reserved),
            new(FirmwareArea, OneMebibyte - FirmwareArea, MemoryRangeKind.Reserved),
        ];
        if (Low > OneMebibyte)
            ranges.Add(new MemoryRange(OneMebibyte, Low - OneMebibyte, MemoryRangeKind.Usable));
        if (High > 0)
            ranges.Add(new MemoryRange(GapEnd, High, MemoryRangeKind.Usable));
        Ranges = ranges;
    }

    /// <summary>All RAM, in bytes.</summary>
    public ulong Size { get; }

    /// <summary>RAM from address 0, in bytes: at most 3 GiB. The area from 640 KiB to 1 MiB is RAM too.</summary>
    public ulong Low { get; }

    /// <summary>RAM from 4 GiB, in bytes.</summary>
    public ulong High { get; }

    /// <summary>The guest-physical address at which <see cref="High"/> begins: 4 GiB.</summary>
    public static ulong HighStart => GapEnd;

    /// <summary>The map that guests are told, by rising address.</summary>
    public IReadOnlyList<MemoryRange> Ranges { get; }

    /// <summary>Whether a range of addresses is RAM throughout. Any numbers may be asked for.</summary>
    /// <param name="start">The first guest-physical address.</param>
    /// <param name="length">Bytes.</param>
    public bool IsRam(ulong start, ulong length) =>
        (start <= Low && length <= Low - start) || (start >= GapEnd && start - GapEnd <= High && length <= High - (start - GapEnd));
}
