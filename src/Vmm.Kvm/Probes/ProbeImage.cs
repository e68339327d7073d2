using System.Buffers.Binary;

namespace Vmm.Kvm.Probes;

/// <summary>A probe's guest in memory: tables of its mode, handlers, code.</summary>
internal static class ProbeImage
{
    private const ulong Leaf = 0x87; // present, writable, user, large

    /// <summary>Fills the guest's memory.</summary>
    /// <param name="memory">At least <see cref="ProbeLayout.Size"/> bytes.</param>
    /// <param name="probe">The probe.</param>
    public static void Write(Span<byte> memory, LimitProbe probe)
    {
        memory.Clear();
        bool wide = IsLong(probe.Mode);
        WriteDescriptors(memory, wide);
        for (int vector = 0; vector < 256; vector++)
        {
            ReadOnlySpan<byte> stub = [0xB0, (byte)vector, 0xE6, (byte)ProbeEnd.VectorPort, 0xF4];
            stub.CopyTo(memory[(ProbeLayout.Stubs + (vector * ProbeLayout.StubSize))..]);
            bool own = probe.Vectors.AsSpan().Contains((byte)vector);
            WriteGate(memory, probe.Mode, vector, own ? ProbeLayout.Handler : ProbeLayout.Stubs + (vector * ProbeLayout.StubSize));
        }
        Put32(memory, ProbeLayout.TaskState32 + 4, ProbeLayout.PrivilegedStack);
        Put32(memory, ProbeLayout.TaskState32 + 8, ProbeLayout.Data0);
        Put32(memory, ProbeLayout.TaskState64 + 4, ProbeLayout.PrivilegedStack);
        Put32(memory, ProbeLayout.TaskState32 + 100, 0x68 << 16);
        Put32(memory, ProbeLayout.TaskState64 + 100, 0x68 << 16);
        // In long mode: the last page of the third large page, and nothing behind it.
        Put64(memory, ProbeLayout.LongTables + 0x2010, ProbeLayout.Tables32 | 7);
        Put64(memory, ProbeLayout.Tables32 + 0xFF8, ProbeLayout.Data | 7);
        // In long mode: tables of the second GiB outside of memory.
        Put64(memory, ProbeLayout.LongTables + 0x1008, 0x10_0000 | 7);
        // A map of the first 512 ports, all allowed, and its end: level 3 may use them even where the host does not heed IOPL.
        memory[ProbeLayout.TaskState32 + 0x68 + 64] = memory[ProbeLayout.TaskState64 + 0x68 + 64] = 0xFF;
        WriteTables(memory);
        probe.Code.CopyTo(memory[ProbeLayout.Code..]);
        probe.Handler.CopyTo(memory[ProbeLayout.Handler..]);
    }

    public static bool IsLong(ProbeMode mode) => mode is ProbeMode.Long or ProbeMode.LongUser or ProbeMode.CompatibilityUser;

    private static void WriteDescriptors(Span<byte> memory, bool wide)
    {
        // In this order SYSENTER, SYSEXIT, SYSCALL and SYSRET find what they add to their bases.
        ReadOnlySpan<ulong> entries =
        [
            0,
            0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
            0x00AF_FB00_0000_FFFF, 0x0000_9B00_0000_FFFF, 0x0000_9300_0000_FFFF,
            0x0000_8B00_0000_0000 | ProbeLayout.TaskStateLimit | ((ulong)(wide ? ProbeLayout.TaskState64 : ProbeLayout.TaskState32) << 16), 0,
        ];
        for (int i = 0; i < entries.Length; i++)
            Put64(memory, ProbeLayout.DescriptorTable + (i * 8), entries[i]);
    }

    private static void WriteGate(Span<byte> memory, ProbeMode mode, int vector, int handler)
    {
        const ulong Gate = 0xEEUL << 40; // interrupt gate for every level
        switch (mode)
        {
            case ProbeMode.Real:
                Put32(memory, vector * 4, (uint)handler);
                break;
            case ProbeMode.Protected16:
                Put64(memory, ProbeLayout.VectorTable + (vector * 8), (uint)handler | ((ulong)ProbeLayout.Code16 << 16) | (0xE6UL << 40));
                break;
            case ProbeMode.Long or ProbeMode.LongUser or ProbeMode.CompatibilityUser:
                Put64(memory, ProbeLayout.VectorTable + (vector * 16), (uint)handler | ((ulong)ProbeLayout.Code64 << 16) | Gate);
                break;
            default:
                Put64(memory, ProbeLayout.VectorTable + (vector * 8), (uint)handler | ((ulong)ProbeLayout.Code32 << 16) | Gate);
                break;
        }
    }

    // The first large page and, at the second one's address, the first once more.
    private static void WriteTables(Span<byte> memory)
    {
        Put64(memory, ProbeLayout.LongTables, (ProbeLayout.LongTables + 0x1000) | 7);
        Put64(memory, ProbeLayout.LongTables + 0x1000, (ProbeLayout.LongTables + 0x2000) | 7);
        Put64(memory, ProbeLayout.PaeTables, (ProbeLayout.PaeTables + 0x1000) | 1);
        for (int i = 0; i < 2; i++)
        {
            Put64(memory, ProbeLayout.LongTables + 0x2000 + (i * 8), Leaf);
            Put64(memory, ProbeLayout.PaeTables + 0x1000 + (i * 8), Leaf);
            Put32(memory, ProbeLayout.Tables32 + (i * 4), (uint)Leaf);
        }
    }

    private static void Put32(Span<byte> memory, int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(memory[at..], value);

    private static void Put64(Span<byte> memory, int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(memory[at..], value);
}
