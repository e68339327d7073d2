namespace Vmm.Machines;

/// <summary>
/// Firmware such as SeaBIOS or U-Boot: a ROM that ends at 4 GiB, where processors start after reset. Its last 128 KiB can also be read at
/// 0xE0000-0xFFFFF.
/// </summary>
/// <param name="Content">The ROM: 64 KiB to 16 MiB, a multiple of 4 KiB.</param>
public sealed record FirmwareImage(ReadOnlyMemory<byte> Content)
{
    /// <summary>The smallest ROM, in bytes: 64 KiB.</summary>
    public const int MinimumSize = 0x1_0000;

    /// <summary>The largest ROM, in bytes: 16 MiB.</summary>
    public const int MaximumSize = 0x100_0000;

    /// <summary>What to call the ROM in messages: a file's name, for instance.</summary>
    public string Name { get; init; } = "the firmware";

    /// <summary>Takes what the firmware writes to its debug console at port 0x402; null = there is no such port.</summary>
    public Devices.SerialOutput? DebugConsole { get; init; }

    /// <summary>
    /// Whether SeaBIOS is to show its screen on the first serial port and take keys from there: programs that use the BIOS can be used
    /// without a display then.
    /// </summary>
    public bool ScreenOnSerial { get; init; }

    /// <summary>
    /// Files for the firmware in its configuration device, beside those that the machine makes itself: <c>vgaroms/</c>NAME is a VGA BIOS
    /// for SeaBIOS, <c>genroms/</c>NAME another option ROM, <c>opt/</c>NAME is for anyone.
    /// </summary>
    public IReadOnlyList<FirmwareFile> Files { get; init; } = [];

    /// <summary>Whether a ROM may have this size.</summary>
    /// <exception cref="ImageLoadException">It may not; says why.</exception>
    internal void RequireValidSize()
    {
        string? found = Content.Length switch
        {
            0 => "it is empty",
            < MinimumSize => $"it has {Content.Length} bytes, less than the 64 KiB of the smallest ROM",
            > MaximumSize => $"it has {Content.Length} bytes, more than the 16 MiB that have room below 4 GiB",
            _ when Content.Length % 4096 != 0 => $"it has {Content.Length} bytes, which is no multiple of 4096",
            _ => null,
        };
        if (found is not null)
            throw new ImageLoadException(Name, "load firmware", found, "Give a whole ROM image, as it would be put into a flash chip");
    }
}
