using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>The PVH boot protocol: an ELF file whose note names a 32-bit entry, started with EBX at its start information
/// (Xen, "x86/HVM direct boot ABI").</summary>
internal static class PvhLoader
{
    private const uint Physical32Entry = 18;
    private const uint StartMagic = 0x336E_C578;
    private const string Attempted = "load a PVH kernel";

    public static bool IsPvh(ReadOnlySpan<byte> content)
    {
        if (!ElfFile.HasMagic(content))
            return false;
        try
        {
            Placement none = new(NoMemory.Instance, "", "");
            return !FindEntryNote(ElfFile.Parse(content, none), content, none).IsEmpty;
        }
        catch (ImageLoadException)
        {
            // A damaged ELF file is nothing yet: whichever loader is then asked for says what is wrong with it.
            return false;
        }
    }

    public static EntryState Load(KernelImage kernel, IBootMemory memory)
    {
        Placement placement = new(memory, kernel.Name, Attempted);
        ReadOnlySpan<byte> content = kernel.Content.Span;
        ElfFile file = ElfFile.Parse(content, placement);
        ReadOnlySpan<byte> note = FindEntryNote(file, content, placement);
        ulong entry = note.Length >= 8
            ? BinaryPrimitives.ReadUInt64LittleEndian(note)
            : BinaryPrimitives.ReadUInt32LittleEndian(note);
        ulong end = file.LoadSegments(content, placement);
        if (entry >= memory.Map.Low)
            throw placement.Refuse(
                $"its PVH entry 0x{entry:X} is not in RAM below 4 GiB",
                "Give the machine more memory, or get the image anew");
        return EntryStates.Protected(placement, entry) with { Rbx = WriteStart(kernel, placement, end) };
    }

    private static ReadOnlySpan<byte> FindEntryNote(ElfFile file, ReadOnlySpan<byte> content, Placement placement)
    {
        ReadOnlySpan<byte> note = file.FindNote(content, "Xen\0"u8, Physical32Entry, placement);
        return note.Length >= 4 ? note : default;
    }

    private static ulong WriteStart(KernelImage kernel, Placement placement, ulong kernelEnd)
    {
        IReadOnlyList<MemoryRange> map = placement.Memory.Map.Ranges;
        byte[] modules = new byte[kernel.Modules.Count * 32];
        for (int index = 0; index < kernel.Modules.Count; index++)
        {
            BootModule module = kernel.Modules[index];
            Span<byte> entry = modules.AsSpan(index * 32);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, BootStrings.PlaceModule(placement, module, kernelEnd));
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], (ulong)module.Content.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], BootStrings.Place(placement, module.Name, "a module's name"));
        }
        byte[] ranges = new byte[map.Count * 24];
        for (int index = 0; index < map.Count; index++)
        {
            Span<byte> entry = ranges.AsSpan(index * 24);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[index].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[index].Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map[index].Kind);
        }

        Span<byte> start = stackalloc byte[56];
        start.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(start, StartMagic);
        BinaryPrimitives.WriteUInt32LittleEndian(start[4..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(start[12..], (uint)kernel.Modules.Count);
        if (modules.Length > 0)
            BinaryPrimitives.WriteUInt64LittleEndian(start[16..], BootStrings.Place(placement, modules, "the module list"));
        BinaryPrimitives.WriteUInt64LittleEndian(start[24..], BootStrings.Place(placement, kernel.CommandLine, "the command line"));
        BinaryPrimitives.WriteUInt64LittleEndian(start[32..], placement.Memory.AcpiRootPointer);
        BinaryPrimitives.WriteUInt64LittleEndian(start[40..], BootStrings.Place(placement, ranges, "the memory map"));
        BinaryPrimitives.WriteUInt32LittleEndian(start[48..], (uint)map.Count);
        return BootStrings.Place(placement, start, "the start information");
    }
}
