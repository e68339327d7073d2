namespace Vmm.Machines;

/// <summary>
/// Offsets in a Linux kernel's first sectors and in the zero page (Linux, "The Linux/x86 Boot Protocol" and "Zero Page").
/// </summary>
internal static class LinuxHeader
{
    public const int SetupSectors = 0x1F1;
    public const int SystemSize = 0x1F4;
    public const int VideoMode = 0x1FA;
    public const int BootFlag = 0x1FE;
    public const int JumpOffset = 0x201;
    public const int Magic = 0x202;
    public const int Version = 0x206;
    public const int LoaderType = 0x210;
    public const int LoadFlags = 0x211;
    public const int RamDiskImage = 0x218;
    public const int RamDiskSize = 0x21C;
    public const int CommandLinePointer = 0x228;
    public const int RamDiskLimit = 0x22C;
    public const int ExtendedLoadFlags = 0x236;
    public const int CommandLineSize = 0x238;
    public const int PreferredAddress = 0x258;
    public const int InitSize = 0x260;

    /// <summary>The end of the largest header that fits the zero page.</summary>
    public const int Limit = 0x290;

    public const int ZeroPageSize = 4096;
    public const int AcpiRootPointer = 0x70;
    public const int MapCount = 0x1E8;
    public const int Map = 0x2D0;
    public const int MapEntrySize = 20;

    public const ushort OldestVersion = 0x020C;
    public const int Kernel64 = 0x01;
    public const int LoadedHigh = 0x01;
    public const int UnknownLoader = 0xFF;
    public const int NormalVideo = 0xFFFF;

    /// <summary>Where the 64-bit entry lies from the start of the loaded kernel.</summary>
    public const ulong Entry64 = 0x200;

    public static ReadOnlySpan<byte> MagicText => "HdrS"u8;
}
