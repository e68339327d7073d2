using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>The multiboot protocol, version 1 (Multiboot Specification 0.6.96): the image's load addresses come from its multiboot
/// header when that has them, else from its ELF headers. A video mode asked for is not set.</summary>
internal static class MultibootLoader
{
    private const uint HeaderMagic = 0x1BAD_B002;
    private const uint LoaderMagic = 0x2BAD_B002;
    private const uint HasAddresses = 0x1_0000;
    private const uint MandatoryKnown = 0x7;
    private const int SearchLimit = 8192;
    private const string Attempted = "load a multiboot image";

    /// <summary>The offset of the multiboot header, or -1.</summary>
    public static int FindHeader(ReadOnlySpan<byte> content)
    {
        int limit = Math.Min(content.Length, SearchLimit) - 12;
        for (int offset = 0; offset <= limit; offset += 4)
        {
            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(content[offset..]);
            if (magic != HeaderMagic)
                continue;
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(content[(offset + 4)..]);
            uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(content[(offset + 8)..]);
            if (unchecked(magic + flags + checksum) == 0)
                return offset;
        }
        return -1;
    }

    public static EntryState Load(KernelImage kernel, IBootMemory memory)
    {
        Placement placement = new(memory, kernel.Name, Attempted);
        ReadOnlySpan<byte> content = kernel.Content.Span;
        ImageReader reader = new(content, placement);
        ulong header = (ulong)FindHeader(content);
        uint flags = reader.UInt32(header + 4, "the multiboot header");
        uint unknown = flags & 0xFFFF & ~MandatoryKnown;
        if (unknown != 0)
            throw placement.Refuse(
                $"it demands features 0x{unknown:X} of its loader that version 1 does not define",
                "Check the multiboot header's flags");

        ulong entry;
        ulong end;
        if ((flags & HasAddresses) != 0)
        {
            (entry, end) = LoadByAddresses(reader, header, placement);
        }
        else
        {
            ElfFile file = ElfFile.Parse(content, placement);
            end = file.LoadSegments(content, placement);
            entry = file.PhysicalEntry(placement);
        }
        if (entry >= memory.Map.Low)
            throw placement.Refuse($"its entry 0x{entry:X} is not in RAM below 4 GiB", "Check how the image was linked");
        return EntryStates.Protected(placement, entry) with { Rax = LoaderMagic, Rbx = WriteInformation(kernel, placement, end) };
    }

    private static (ulong Entry, ulong End) LoadByAddresses(ImageReader reader, ulong header, Placement placement)
    {
        const string What = "the multiboot header";
        uint headerAddress = reader.UInt32(header + 12, What);
        uint loadAddress = reader.UInt32(header + 16, What);
        uint loadEnd = reader.UInt32(header + 20, What);
        uint clearedEnd = reader.UInt32(header + 24, What);
        uint entry = reader.UInt32(header + 28, What);
        if (headerAddress < loadAddress || headerAddress - loadAddress > header)
        {
            throw placement.Refuse(
                $"the header's address 0x{headerAddress:X} and load address 0x{loadAddress:X} do not fit its place in the file, "
                    + $"0x{header:X}",
                "Correct the multiboot header");
        }
        ulong offset = header - (headerAddress - loadAddress);
        // A load end of 0 means the whole file (specification, 3.1.3).
        ulong length = loadEnd == 0 ? reader.Length - offset : (ulong)loadEnd - loadAddress;
        if (loadEnd != 0 && loadEnd < loadAddress)
            throw placement.Refuse(
                $"its load end 0x{loadEnd:X} is below its load address 0x{loadAddress:X}",
                "Correct the multiboot header");
        ReadOnlySpan<byte> data = reader.Slice(offset, length, "the part to load");
        ulong total = length;
        if (clearedEnd != 0)
        {
            if (clearedEnd < loadAddress + length)
                throw placement.Refuse($"its cleared area ends at 0x{clearedEnd:X}, before what is loaded", "Correct the multiboot header");
            total = (ulong)clearedEnd - loadAddress;
        }
        if (total == 0)
            throw placement.Refuse("it has nothing to load", "Correct the multiboot header");
        placement.Take(loadAddress, total, "the image");
        placement.Write(loadAddress, data);
        placement.Memory.Clear(loadAddress + length, total - length);
        return (entry, loadAddress + total);
    }

    private static ulong WriteInformation(KernelImage kernel, Placement placement, ulong kernelEnd)
    {
        const uint HasMemory = 0x1, HasCommandLine = 0x4, HasModules = 0x8, HasMap = 0x40, HasLoaderName = 0x200;

        MemoryMap memory = placement.Memory.Map;
        byte[] modules = new byte[kernel.Modules.Count * 16];
        for (int index = 0; index < kernel.Modules.Count; index++)
        {
            BootModule module = kernel.Modules[index];
            ulong start = BootStrings.PlaceModule(placement, module, kernelEnd);
            Span<byte> entry = modules.AsSpan(index * 16);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)start);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)(start + (ulong)module.Content.Length));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)BootStrings.Place(placement, module.Name, "a module's name"));
        }
        byte[] map = new byte[memory.Ranges.Count * 24];
        for (int index = 0; index < memory.Ranges.Count; index++)
        {
            MemoryRange range = memory.Ranges[index];
            Span<byte> entry = map.AsSpan(index * 24);
            // The size does not count itself.
            BinaryPrimitives.WriteUInt32LittleEndian(entry, 20);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[4..], range.Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[12..], range.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[20..], (uint)range.Kind);
        }

        Span<byte> information = stackalloc byte[120];
        information.Clear();
        uint flags = HasMemory | HasCommandLine | HasMap | HasLoaderName;
        BinaryPrimitives.WriteUInt32LittleEndian(information[4..], (uint)(memory.Ranges[0].Length >> 10));
        BinaryPrimitives.WriteUInt32LittleEndian(information[8..], (uint)((memory.Low - MemoryMap.MinimumSize) >> 10));
        uint commandLine = (uint)BootStrings.Place(placement, kernel.CommandLine, "the command line");
        BinaryPrimitives.WriteUInt32LittleEndian(information[16..], commandLine);
        if (modules.Length > 0)
        {
            flags |= HasModules;
            BinaryPrimitives.WriteUInt32LittleEndian(information[20..], (uint)kernel.Modules.Count);
            BinaryPrimitives.WriteUInt32LittleEndian(information[24..], (uint)BootStrings.Place(placement, modules, "the module list"));
        }
        BinaryPrimitives.WriteUInt32LittleEndian(information[44..], (uint)map.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(information[48..], (uint)BootStrings.Place(placement, map, "the memory map"));
        BinaryPrimitives.WriteUInt32LittleEndian(information[64..], (uint)BootStrings.Place(placement, "Vmm", "the loader's name"));
        BinaryPrimitives.WriteUInt32LittleEndian(information, flags);
        return BootStrings.Place(placement, information, "the multiboot information");
    }
}
