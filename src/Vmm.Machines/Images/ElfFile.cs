namespace Vmm.Machines;

/// <summary>The parts of an ELF file that a loader needs (System V ABI, chapters 4 and 5; little-endian x86 only).</summary>
internal sealed class ElfFile
{
    private const string Damaged = "The image is truncated or damaged: get it anew";
    private const ushort Intel386 = 3;
    private const ushort Amd64 = 62;

    private ElfFile(bool is64, ulong entry, List<ElfSegment> segments)
    {
        Is64 = is64;
        Entry = entry;
        Segments = segments;
    }

    public bool Is64 { get; }

    /// <summary>The entry as the header has it: a virtual address.</summary>
    public ulong Entry { get; }

    public IReadOnlyList<ElfSegment> Segments { get; }

    public static bool HasMagic(ReadOnlySpan<byte> data) => data.StartsWith("\u007fELF"u8);

    public static ElfFile Parse(ReadOnlySpan<byte> data, Placement placement)
    {
        ImageReader reader = new(data, placement);
        if (!HasMagic(data))
            throw placement.Refuse("it does not begin with the ELF magic number", "Give an ELF executable");
        byte fileClass = reader.Byte(4, "the ELF identification");
        if (fileClass is not (1 or 2))
            throw placement.Refuse($"its ELF class is {fileClass}, neither 1 (32 bits) nor 2 (64 bits)", Damaged);
        bool is64 = fileClass == 2;
        if (reader.Byte(5, "the ELF identification") != 1)
            throw placement.Refuse("it is not little-endian", "Build it for x86");
        ushort type = reader.UInt16(16, "the ELF header");
        if (type is not (2 or 3))
            throw placement.Refuse($"its ELF type is {type}, not an executable's (2 or 3)", "Link it: an object file cannot be started");
        ushort machine = reader.UInt16(18, "the ELF header");
        if (machine != (is64 ? Amd64 : Intel386) && machine != Amd64)
            throw placement.Refuse($"it is for ELF machine {machine}", $"Build it for x86 (ELF machine {Intel386} or {Amd64})");

        ulong entry = is64 ? reader.UInt64(24, "the ELF header") : reader.UInt32(24, "the ELF header");
        ulong table = is64 ? reader.UInt64(32, "the ELF header") : reader.UInt32(28, "the ELF header");
        ushort entrySize = reader.UInt16(is64 ? 54u : 42u, "the ELF header");
        ushort count = reader.UInt16(is64 ? 56u : 44u, "the ELF header");
        uint neededSize = is64 ? 56u : 32u;
        if (count is 0 or 0xFFFF)
            throw placement.Refuse($"it has {count} program headers", "Give an ELF executable with segments to load");
        if (entrySize < neededSize)
            throw placement.Refuse($"its program headers are {entrySize} bytes long instead of {neededSize}", Damaged);

        List<ElfSegment> segments = new(count);
        ReadOnlySpan<byte> headers = reader.Slice(table, (ulong)count * entrySize, "the program header table");
        for (int index = 0; index < count; index++)
        {
            ImageReader header = new(headers.Slice(index * entrySize, entrySize), placement);
            ElfSegment segment = is64
                ? new ElfSegment(
                    header.UInt32(0, "a program header"), header.UInt64(8, "a program header"), header.UInt64(16, "a program header"),
                    header.UInt64(24, "a program header"), header.UInt64(32, "a program header"), header.UInt64(40, "a program header"))
                : new ElfSegment(
                    header.UInt32(0, "a program header"), header.UInt32(4, "a program header"), header.UInt32(8, "a program header"),
                    header.UInt32(12, "a program header"), header.UInt32(16, "a program header"), header.UInt32(20, "a program header"));
            if (segment.Type is ElfSegment.Load or ElfSegment.Note)
                segments.Add(segment);
        }
        return new ElfFile(is64, entry, segments);
    }

    /// <summary>Puts the loadable segments at their physical addresses.</summary>
    /// <returns>The address after the last byte placed.</returns>
    public ulong LoadSegments(ReadOnlySpan<byte> data, Placement placement)
    {
        ImageReader reader = new(data, placement);
        ulong end = 0;
        int number = 0;
        foreach (ElfSegment segment in Segments)
        {
            if (segment.Type != ElfSegment.Load)
                continue;
            number++;
            if (segment.MemorySize == 0)
                continue;
            string what = $"segment {number}";
            if (segment.FileSize > segment.MemorySize)
                throw placement.Refuse($"{what} has {segment.FileSize} bytes in the file for {segment.MemorySize} in memory", Damaged);
            ReadOnlySpan<byte> content = reader.Slice(segment.Offset, segment.FileSize, what);
            placement.Take(segment.PhysicalAddress, segment.MemorySize, what);
            placement.Write(segment.PhysicalAddress, content);
            placement.Memory.Clear(segment.PhysicalAddress + segment.FileSize, segment.MemorySize - segment.FileSize);
            end = Math.Max(end, segment.PhysicalAddress + segment.MemorySize);
        }
        if (end == 0)
            throw placement.Refuse("it has nothing to load", "Give an ELF executable with segments to load");
        return end;
    }

    /// <summary>The physical address of the entry, through the segment that holds it.</summary>
    public ulong PhysicalEntry(Placement placement)
    {
        foreach (ElfSegment segment in Segments)
        {
            if (segment.Type == ElfSegment.Load && Entry >= segment.VirtualAddress && Entry - segment.VirtualAddress < segment.MemorySize)
                return segment.PhysicalAddress + (Entry - segment.VirtualAddress);
        }
        throw placement.Refuse($"its entry 0x{Entry:X} is in none of its segments", "Check how the image was linked");
    }

    /// <summary>Looks for a note's contents by name and type.</summary>
    public ReadOnlySpan<byte> FindNote(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, uint type, Placement placement)
    {
        ImageReader reader = new(data, placement);
        foreach (ElfSegment segment in Segments)
        {
            if (segment.Type != ElfSegment.Note || segment.Offset > reader.Length || segment.FileSize > reader.Length - segment.Offset)
                continue;
            ImageReader notes = new(reader.Slice(segment.Offset, segment.FileSize, "a note"), placement);
            ulong offset = 0;
            while (notes.Length - offset >= 12)
            {
                uint nameSize = notes.UInt32(offset, "a note");
                uint contentSize = notes.UInt32(offset + 4, "a note");
                uint noteType = notes.UInt32(offset + 8, "a note");
                ulong content = offset + 12 + Align(nameSize);
                ulong next = content + Align(contentSize);
                if (content > notes.Length || contentSize > notes.Length - content)
                    break;
                if (noteType == type && notes.Slice(offset + 12, nameSize, "a note").SequenceEqual(name))
                    return notes.Slice(content, contentSize, "a note");
                if (next > notes.Length)
                    break;
                offset = next;
            }
        }
        return default;

        static ulong Align(uint size) => ((ulong)size + 3) & ~3ul;
    }
}
