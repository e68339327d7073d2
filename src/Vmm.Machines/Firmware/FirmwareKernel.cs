using System.Buffers.Binary;
using System.Text;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// A Linux kernel as firmware takes it from its configuration device: the real-mode part made ready, the rest, an initial RAM disk and the
/// command line, and where each goes (Linux, "The Linux/x86 Boot Protocol", 16-bit protocol 2.02 and later).
/// </summary>
internal static class FirmwareKernel
{
    private const string Attempted = "offer a kernel to the firmware";
    private const int HeapEnd = 0x224;
    private const byte CanUseHeap = 0x80;
    private const ushort OldestVersion = 0x0203;
    private const int SectorSize = 512;
    private const uint SetupAddress = 0x1_0000;
    private const uint CommandLineAddress = 0x2_0000;
    private const uint KernelAddress = 0x10_0000;
    private const uint LongestCommandLine = 0x1_0000;

    // What firmware itself uses at the top of RAM below 4 GiB: its tables.
    private const ulong KeptForFirmware = 0x4_0000;

    public static void Add(FirmwareConfiguration configuration, BootImage image, MemoryMap map)
    {
        if (image is not KernelImage kernel || !LinuxLoader.IsLinux(kernel.Content.Span))
            throw Refuse(image, "it is no Linux bzImage", "Firmware can be given a Linux kernel, or none");
        ReadOnlySpan<byte> content = kernel.Content.Span;
        int sectors = content[LinuxHeader.SetupSectors];
        int setupSize = ((sectors == 0 ? 4 : sectors) + 1) * SectorSize;
        if (content.Length <= setupSize || setupSize < HeapEnd + 0x10)
            throw Refuse(kernel, $"it has {content.Length} bytes, and its header announces {setupSize} of setup", "Get it anew");
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(content[LinuxHeader.Version..]);
        if (version < OldestVersion || (content[LinuxHeader.LoadFlags] & LinuxHeader.LoadedHigh) == 0)
            throw Refuse(kernel, "it is a zImage, or older than boot protocol 2.03", "Use a bzImage of Linux 2.4.18 or later");
        if (kernel.Modules.Count > 1)
        {
            throw Refuse(
                kernel, $"{kernel.Modules.Count} modules were given, and Linux takes one initial RAM disk", "Join them into one file");
        }
        byte[] commandLine = Encoding.ASCII.GetBytes(kernel.CommandLine + '\0');
        if (commandLine.Length > LongestCommandLine)
            throw Refuse(kernel, $"the command line has {commandLine.Length - 1} characters", "Shorten it");

        byte[] setup = content[..setupSize].ToArray();
        setup[LinuxHeader.LoaderType] = LinuxHeader.UnknownLoader;
        setup[LinuxHeader.LoadFlags] |= CanUseHeap;
        BinaryPrimitives.WriteUInt16LittleEndian(setup.AsSpan(HeapEnd), (ushort)(CommandLineAddress - SetupAddress - 0x200));
        BinaryPrimitives.WriteUInt32LittleEndian(setup.AsSpan(LinuxHeader.CommandLinePointer), CommandLineAddress);
        ReadOnlyMemory<byte> ramDisk = kernel.Modules.Count == 0 ? default : kernel.Modules[0].Content;
        uint ramDiskAddress = ramDisk.IsEmpty ? 0 : RamDiskAddress(kernel, ramDisk.Length, map);
        BinaryPrimitives.WriteUInt32LittleEndian(setup.AsSpan(LinuxHeader.RamDiskImage), ramDiskAddress);
        BinaryPrimitives.WriteUInt32LittleEndian(setup.AsSpan(LinuxHeader.RamDiskSize), (uint)ramDisk.Length);

        configuration.Set(FirmwareConfigurationItem.SetupAddress, SetupAddress);
        configuration.Set(FirmwareConfigurationItem.SetupSize, (uint)setup.Length);
        configuration.Set(FirmwareConfigurationItem.SetupData, setup);
        configuration.Set(FirmwareConfigurationItem.KernelAddress, KernelAddress);
        configuration.Set(FirmwareConfigurationItem.KernelSize, (uint)(content.Length - setupSize));
        configuration.Set(FirmwareConfigurationItem.KernelData, kernel.Content[setupSize..]);
        configuration.Set(FirmwareConfigurationItem.CommandLineAddress, CommandLineAddress);
        configuration.Set(FirmwareConfigurationItem.CommandLineSize, (uint)commandLine.Length);
        configuration.Set(FirmwareConfigurationItem.CommandLineData, commandLine);
        configuration.Set(FirmwareConfigurationItem.RamDiskAddress, ramDiskAddress);
        configuration.Set(FirmwareConfigurationItem.RamDiskSize, (uint)ramDisk.Length);
        configuration.Set(FirmwareConfigurationItem.RamDiskData, ramDisk);
    }

    private static uint RamDiskAddress(KernelImage kernel, int length, MemoryMap map)
    {
        ulong end = Math.Min(
            BinaryPrimitives.ReadUInt32LittleEndian(kernel.Content.Span[LinuxHeader.RamDiskLimit..]) + 1ul,
            map.Low > KeptForFirmware ? map.Low - KeptForFirmware : 0);
        ulong kernelEnd = KernelAddress + (ulong)kernel.Content.Length;
        if (end < kernelEnd || end - kernelEnd < (ulong)length + 4096)
        {
            throw Refuse(
                kernel, $"there is no room for the initial RAM disk of {length} bytes above the kernel", "Give the machine more memory");
        }
        return (uint)((end - (ulong)length) & ~4095ul);
    }

    private static ImageLoadException Refuse(BootImage image, string found, string hint) => new(image.Name, Attempted, found, hint);
}
