using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines;

/// <summary>The 64-bit Linux boot protocol: a bzImage of boot protocol 2.12 or later, started in long mode at its load address + 0x200
/// with RSI at the zero page (Linux, "The Linux/x86 Boot Protocol", "64-bit Boot Protocol").</summary>
internal static class LinuxLoader
{
    private const string Attempted = "load a Linux kernel";
    private const string GetAnew = "The image is truncated or damaged: get it anew";

    public static bool IsLinux(ReadOnlySpan<byte> content) =>
        content.Length >= LinuxHeader.Magic + 4
        && content.Slice(LinuxHeader.Magic, 4).SequenceEqual(LinuxHeader.MagicText)
        && BinaryPrimitives.ReadUInt16LittleEndian(content[LinuxHeader.BootFlag..]) == 0xAA55;

    public static EntryState Load(KernelImage kernel, IBootMemory memory)
    {
        Placement placement = new(memory, kernel.Name, Attempted);
        ImageReader reader = new(kernel.Content.Span, placement);
        RequireSupported(reader, placement);

        uint setupSectors = reader.Byte(LinuxHeader.SetupSectors, "the setup header");
        ulong setupSize = ((setupSectors == 0 ? 4 : setupSectors) + 1) * 512;
        ulong systemSize = reader.UInt32(LinuxHeader.SystemSize, "the setup header") * 16ul;
        if (setupSize >= reader.Length || reader.Length - setupSize + 15 < systemSize)
        {
            throw placement.Refuse(
                $"it has {reader.Length} bytes, and its header announces {setupSize} of setup and {systemSize} of kernel", GetAnew);
        }
        ReadOnlySpan<byte> system = reader.Slice(setupSize, reader.Length - setupSize, "the kernel proper");
        if (system.Length <= (int)LinuxHeader.Entry64)
            throw placement.Refuse($"its kernel proper has only {system.Length} bytes", GetAnew);

        ulong address = reader.UInt64(LinuxHeader.PreferredAddress, "the setup header");
        ulong initSize = Math.Max(reader.UInt32(LinuxHeader.InitSize, "the setup header"), (ulong)system.Length);
        if (address < MemoryMap.MinimumSize)
            throw placement.Refuse($"its preferred load address 0x{address:X} is below 1 MiB", GetAnew);
        if (address > memory.Map.Low || initSize > memory.Map.Low - address)
        {
            throw placement.Refuse(
                $"it needs 0x{address:X}-0x{address + initSize:X} for itself while it starts, and RAM below 4 GiB ends at "
                    + $"0x{memory.Map.Low:X}",
                $"Give the machine at least {((address + initSize) >> 20) + 1} MiB of memory, and its initial RAM disk's size on top");
        }
        placement.Take(address, initSize, "the kernel");
        placement.Write(address, system);
        return StartState(kernel, placement, reader, address, address + initSize);
    }

    private static void RequireSupported(ImageReader reader, Placement placement)
    {
        ushort version = reader.UInt16(LinuxHeader.Version, "the setup header");
        if (version < LinuxHeader.OldestVersion)
        {
            throw placement.Refuse(
                $"its boot protocol is {version >> 8}.{version & 0xFF:00}, and 2.12 is the oldest with a 64-bit entry",
                "Use a 64-bit kernel of version 3.8 or later");
        }
        if ((reader.UInt16(LinuxHeader.ExtendedLoadFlags, "the setup header") & LinuxHeader.Kernel64) == 0)
            throw placement.Refuse("it has no 64-bit entry", "Use a kernel built for x86-64");
        if ((reader.Byte(LinuxHeader.LoadFlags, "the setup header") & LinuxHeader.LoadedHigh) == 0)
            throw placement.Refuse("it is a zImage, loaded below 1 MiB", "Use a bzImage");
    }

    private static EntryState StartState(KernelImage kernel, Placement placement, ImageReader reader, ulong address, ulong kernelEnd)
    {
        byte[] zeroPage = new byte[LinuxHeader.ZeroPageSize];
        // The header ends where the jump before it leads.
        int headerEnd = Math.Min(LinuxHeader.Magic + reader.Byte(LinuxHeader.JumpOffset, "the setup header"), LinuxHeader.Limit);
        if (headerEnd < LinuxHeader.InitSize + 4)
            throw placement.Refuse($"its setup header ends at 0x{headerEnd:X}, too early for its version", GetAnew);
        reader.Slice(LinuxHeader.SetupSectors, (ulong)(headerEnd - LinuxHeader.SetupSectors), "the setup header")
            .CopyTo(zeroPage.AsSpan(LinuxHeader.SetupSectors));
        zeroPage[LinuxHeader.LoaderType] = LinuxHeader.UnknownLoader;
        BinaryPrimitives.WriteUInt16LittleEndian(zeroPage.AsSpan(LinuxHeader.VideoMode), LinuxHeader.NormalVideo);

        WriteMap(zeroPage, placement.Memory.Map);
        BinaryPrimitives.WriteUInt64LittleEndian(zeroPage.AsSpan(LinuxHeader.AcpiRootPointer), placement.Memory.AcpiRootPointer);
        SetPointer(LinuxHeader.CommandLinePointer, PlaceCommandLine(kernel, placement, reader));
        SetPointer(LinuxHeader.RamDiskImage, 0);
        SetPointer(LinuxHeader.RamDiskSize, 0);
        if (PlaceRamDisk(kernel, placement, reader, kernelEnd) is { } ramDisk)
        {
            SetPointer(LinuxHeader.RamDiskImage, (uint)ramDisk);
            SetPointer(LinuxHeader.RamDiskSize, (uint)kernel.Modules[0].Content.Length);
        }
        ulong zeroPageAddress = BootStrings.Place(placement, zeroPage, "the zero page");
        return EntryStates.Long(placement, address + LinuxHeader.Entry64) with { Rsi = zeroPageAddress };

        void SetPointer(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(zeroPage.AsSpan(offset), value);
    }

    private static void WriteMap(byte[] zeroPage, MemoryMap map)
    {
        zeroPage[LinuxHeader.MapCount] = (byte)map.Ranges.Count;
        for (int index = 0; index < map.Ranges.Count; index++)
        {
            Span<byte> entry = zeroPage.AsSpan(LinuxHeader.Map + index * LinuxHeader.MapEntrySize);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map.Ranges[index].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map.Ranges[index].Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map.Ranges[index].Kind);
        }
    }

    private static uint PlaceCommandLine(KernelImage kernel, Placement placement, ImageReader reader)
    {
        uint limit = reader.UInt32(LinuxHeader.CommandLineSize, "the setup header");
        int length = Encoding.ASCII.GetByteCount(kernel.CommandLine);
        if ((uint)length > limit)
            throw placement.Refuse($"the command line has {length} characters, and this kernel takes {limit}", "Shorten the command line");
        return (uint)BootStrings.Place(placement, kernel.CommandLine, "the command line");
    }

    private static ulong? PlaceRamDisk(KernelImage kernel, Placement placement, ImageReader reader, ulong kernelEnd)
    {
        if (kernel.Modules.Count == 0)
            return null;
        if (kernel.Modules.Count > 1)
            throw placement.Refuse(
                $"{kernel.Modules.Count} modules were given, and Linux takes one initial RAM disk",
                "Join them into one file");
        BootModule module = kernel.Modules[0];
        RamDiskCheck.RequireKnown(module);
        ulong length = (ulong)module.Content.Length;
        ulong end = reader.UInt32(LinuxHeader.RamDiskLimit, "the setup header") + 1ul;
        ulong address = placement.FindBelow(end, kernelEnd, length, $"the initial RAM disk {module.Name}");
        placement.Write(address, module.Content.Span);
        return address;
    }
}
