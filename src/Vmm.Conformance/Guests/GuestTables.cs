using System.Buffers.Binary;

namespace Vmm.Conformance;

/// <summary>Builds a guest's descriptor tables, task-state segments, handler stubs and page tables.</summary>
internal static class GuestTables
{
    public const ulong Present = 1, Writable = 2, User = 4, Accessed = 0x20, Dirty = 0x40, Large = 0x80, NoExecute = 1UL << 63;
    public const uint TaskStateLimit = TaskStateSize + PermittedPorts / 8;
    private const uint TaskStateSize = 0x68, PermittedPorts = 512;
    private const ulong Leaf = Present | Writable | User;

    public static bool HasErrorCode(int vector) => vector is 8 or (>= 10 and <= 14) or 17 or 21;

    public static void Write(ISecondLevelAddressTranslation memory, GuestMode mode)
    {
        WriteGdt(memory, mode);
        WriteStubs(memory, mode);
        WriteVectors(memory, mode);
        WriteTss(memory, mode);
        switch (mode)
        {
            case GuestMode.Long or GuestMode.Compatibility:
                WriteTables(memory, GuestLayout.LongTables, 3);
                break;
            case GuestMode.Pae:
                WriteTables(memory, GuestLayout.PaeTables, 2);
                break;
            case GuestMode.Paged32:
                Write32(memory);
                break;
        }
    }

    public static ulong Descriptor(uint @base, uint limit, uint attributes) =>
        (limit & 0xFFFF) | ((@base & 0xFF_FFFFUL) << 16) | ((attributes & 0xF0FFUL) << 40) | ((limit & 0xF_0000UL) << 32)
            | ((@base & 0xFF00_0000UL) << 32);

    private static void WriteGdt(ISecondLevelAddressTranslation memory, GuestMode mode)
    {
        bool wide = mode is GuestMode.Long or GuestMode.Compatibility;
        ulong[] entries =
        [
            0,
            Descriptor(0, 0xF_FFFF, 0xA09B),
            Descriptor(0, 0xF_FFFF, 0xC093),
            Descriptor(0, 0xF_FFFF, 0xC09B),
            Descriptor(0, 0xF_FFFF, 0xC0FB),
            Descriptor(0, 0xF_FFFF, 0xC0F3),
            Descriptor(0, 0xF_FFFF, 0xA0FB),
            Descriptor(0, 0xFFFF, 0x009B),
            Descriptor(0, 0xFFFF, 0x0093),
            Descriptor((uint)(wide ? GuestLayout.Tss64 : GuestLayout.Tss32), TaskStateLimit, 0x008B),
            0, 0, 0, 0, 0,
        ];
        WriteWords(memory, GuestLayout.Gdt, entries);
    }

    private static void WriteStubs(ISecondLevelAddressTranslation memory, GuestMode mode)
    {
        byte[] stubs = new byte[4096];
        for (int vector = 0; vector < 256; vector++)
        {
            Span<byte> stub = stubs.AsSpan(vector * 16, 16);
            stub.Fill(0xF4);
            ReadOnlySpan<byte> tail = mode switch
            {
                GuestMode.Long or GuestMode.Compatibility => HasErrorCode(vector) ? [0x48, 0x83, 0xC4, 0x08, 0x48, 0xCF] : [0x48, 0xCF],
                GuestMode.Real => [0xCF],
                GuestMode.Protected16 => HasErrorCode(vector) ? [0x83, 0xC4, 0x02, 0xCF] : [0xCF],
                _ => HasErrorCode(vector) ? [0x83, 0xC4, 0x04, 0xCF] : [0xCF],
            };
            stub[0] = 0xE6;
            stub[1] = (byte)GuestLayout.ExceptionPort;
            tail.CopyTo(stub[2..]);
        }
        memory.Write(GuestLayout.Stubs, stubs);
    }

    private static void WriteVectors(ISecondLevelAddressTranslation memory, GuestMode mode)
    {
        for (int vector = 0; vector < 256; vector++)
            WriteGate(memory, mode, vector, GuestLayout.Stubs + ((ulong)vector * 16), 0);
    }

    /// <summary>Points a vector at a handler.</summary>
    public static void WriteGate(ISecondLevelAddressTranslation memory, GuestMode mode, int vector, ulong handler, int stack,
        bool trap = false)
    {
        ulong level = vector is 3 or 4 or 0x80 ? 3UL : 0;
        ulong type = (trap ? 0xFUL : 0xE) | 0x80 | (level << 5);
        ulong low = (handler & 0xFFFF) | ((handler & 0xFFFF_0000) << 32) | (type << 40);
        switch (mode)
        {
            case GuestMode.Real:
                WriteWord32(memory, GuestLayout.InterruptVectors + ((ulong)vector * 4), (uint)handler & 0xFFFF);
                break;
            case GuestMode.Long or GuestMode.Compatibility:
                WriteWords(memory, GuestLayout.Idt + ((ulong)vector * 16),
                    [low | ((ulong)GuestSelectors.Code64 << 16) | ((ulong)stack << 32), handler >> 32]);
                break;
            case GuestMode.Protected16:
                WriteWords(memory, GuestLayout.Idt + ((ulong)vector * 8), [(low & ~(8UL << 40)) | ((ulong)GuestSelectors.Code16 << 16)]);
                break;
            default:
                WriteWords(memory, GuestLayout.Idt + ((ulong)vector * 8), [low | ((ulong)GuestSelectors.Code32 << 16)]);
                break;
        }
    }

    private static void WriteTss(ISecondLevelAddressTranslation memory, GuestMode mode)
    {
        byte[] tss = new byte[TaskStateLimit + 1];
        tss[^1] = 0xFF; // the permission map ends with a byte of ones (SDM Vol. 1 19.5.2)
        if (mode is GuestMode.Long or GuestMode.Compatibility)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(tss.AsSpan(4), GuestLayout.PrivilegedStackTop);
            BinaryPrimitives.WriteUInt64LittleEndian(tss.AsSpan(36), GuestLayout.InterruptStackTop);
            BinaryPrimitives.WriteUInt16LittleEndian(tss.AsSpan(102), 0x68);
            memory.Write(GuestLayout.Tss64, tss);
            return;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(tss.AsSpan(4), (uint)GuestLayout.PrivilegedStackTop);
        BinaryPrimitives.WriteUInt16LittleEndian(tss.AsSpan(8), GuestSelectors.Data);
        BinaryPrimitives.WriteUInt16LittleEndian(tss.AsSpan(102), 0x68);
        memory.Write(GuestLayout.Tss32, tss);
    }

    // The first 2 MiB as 4 KiB pages, the rest of the first GiB as 2 MiB pages: supervisor and user, writable, executable.
    private static void WriteTables(ISecondLevelAddressTranslation memory, ulong root, int upperLevels)
    {
        ulong table = root;
        for (int level = 0; level < upperLevels; level++, table += 0x1000)
        {
            bool directory = level == upperLevels - 1;
            ulong[] entries = new ulong[512];
            for (ulong i = 1; directory && i < 512; i++)
                entries[i] = (i << 21) | Leaf | Large;
            // The entries of a PAE pointer table have no rights (SDM Vol. 3A 4.4.1).
            entries[0] = (table + 0x1000) | (upperLevels == 2 && level == 0 ? Present : Leaf);
            WriteWords(memory, table, entries);
        }
        ulong[] pages = new ulong[512];
        for (ulong i = 0; i < 512; i++)
            pages[i] = (i << 12) | Leaf;
        WriteWords(memory, table, pages);
    }

    private static void Write32(ISecondLevelAddressTranslation memory)
    {
        byte[] directory = new byte[4096];
        byte[] pages = new byte[4096];
        for (int i = 0; i < 1024; i++)
        {
            uint entry = i == 0 ? (uint)(GuestLayout.Tables32 + 0x1000 + Leaf) : ((uint)i << 22) | (uint)(Leaf | Large);
            BinaryPrimitives.WriteUInt32LittleEndian(directory.AsSpan(i * 4), entry);
            BinaryPrimitives.WriteUInt32LittleEndian(pages.AsSpan(i * 4), ((uint)i << 12) | (uint)Leaf);
        }
        memory.Write(GuestLayout.Tables32, directory);
        memory.Write(GuestLayout.Tables32 + 0x1000, pages);
    }

    private static void WriteWord32(ISecondLevelAddressTranslation memory, ulong address, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        memory.Write(address, bytes);
    }

    private static void WriteWords(ISecondLevelAddressTranslation memory, ulong address, ReadOnlySpan<ulong> values)
    {
        byte[] bytes = new byte[values.Length * 8];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), values[i]);
        memory.Write(address, bytes);
    }
}
