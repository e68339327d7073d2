using System.Buffers.Binary;

namespace Vmm.Hostile.Guests;

/// <summary>What lies where in a hostile guest's first megabyte, and the tables it starts with, some of them damaged at random.</summary>
public static class HostileLayout
{
    public const ulong Gdt = 0x2000, Idt = 0x3000, Tss64 = 0x4000, Tss32 = 0x4100, Stubs = 0x6000, Code = 0x8000, Data = 0x1_0000;
    public const ulong LongTables = 0x2_0000, Tables32 = 0x2_4000, ApicDirectory = 0x2_6000, PaePointers = 0x2_7000;
    public const ulong Hole = 0xA_0000, ReadOnly = 0xC_0000, NoExecute = 0xD_0000, End = 0x10_0000;
    public const int CodeLength = 0x8000;
    public const byte StubPort = 0xFA;

    private const ulong Leaf = 7;

    /// <summary>Fills a megabyte.</summary>
    public static void Fill(Span<byte> memory, HostileMode mode, Random random)
    {
        random.NextBytes(memory[(int)Data..(int)LongTables]);
        if (random.Next(2) == 0)
            memory[(int)Data..(int)LongTables].Clear();
        bool wide = mode >= HostileMode.Long;
        WriteVectors(memory, wide, random);
        WriteGdt(memory, wide, random);
        Span<byte> task = memory[(int)(wide ? Tss64 : Tss32)..];
        BinaryPrimitives.WriteUInt64LittleEndian(task[4..], 0x1_E000UL | (wide ? 0 : 0x10UL << 32));
        for (int stack = 1; wide && stack < 8; stack++)
            BinaryPrimitives.WriteUInt64LittleEndian(task[(36 + (8 * (stack - 1)))..], 0x1_E000 - (0x400 * (ulong)stack));
        BinaryPrimitives.WriteUInt16LittleEndian(task[102..], 0x68);
        WriteTables(memory);
        Damage(memory, random);
    }

    private static void WriteVectors(Span<byte> memory, bool wide, Random random)
    {
        for (int vector = 0; vector < 256; vector++)
        {
            // Out to a port that the host knows, then a return; sometimes the return alone, so that the fault comes again and again.
            Span<byte> stub = memory.Slice((int)Stubs + (vector * 16), 16);
            stub.Fill(0xF4);
            bool hasError = vector is 8 or (>= 10 and <= 14) or 17;
            ReadOnlySpan<byte> body = (wide, hasError) switch
            {
                (true, true) => [0x48, 0x83, 0xC4, 8, 0x48, 0xCF],
                (true, false) => [0x48, 0xCF],
                (false, true) => [0x83, 0xC4, 4, 0xCF],
                _ => [0xCF],
            };
            stub[0] = 0xE6;
            stub[1] = StubPort;
            body.CopyTo(stub[(random.Next(16) == 0 ? 0 : 2)..]);
            ulong handler = Stubs + ((ulong)vector * 16);
            BinaryPrimitives.WriteUInt32LittleEndian(memory[(vector * 4)..], (uint)handler);
            ulong type = random.Next(40) switch { 0 => 0x8FUL, 1 => 0xEF, 2 => 0x0E, 3 => 0x85, 4 => 0x86, 5 => 0x8C, _ =>
                vector is 3 or 4 or 0x80 ? 0xEEUL : 0x8E };
            ulong selector = wide ? 0x08UL : 0x18;
            ulong gate = (handler & 0xFFFF) | (selector << 16) | (type << 40) | ((wide && random.Next(4) == 0
                ? (ulong)random.Next(8) : 0) << 32);
            int at = (int)Idt + (vector * (wide ? 16 : 8));
            BinaryPrimitives.WriteUInt64LittleEndian(memory[at..], gate);
        }
    }

    private static void WriteGdt(Span<byte> memory, bool wide, Random random)
    {
        ulong[] entries =
        [
            0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00CF_9B00_0000_FFFF, 0x00CF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
            0x00AF_FB00_0000_FFFF,
            0x0000_9B00_0000_FFFF, 0x0000_9300_0000_FFFF, 0x0000_8900_0000_0067 | ((wide ? Tss64 : Tss32) << 16), 0,
            0x0000_EC00_0008_8000, 0,
            0x0000_8900_4100_0067, 0x0000_8200_2000_007F, 0,
        ];
        for (int i = 0; i < 64; i++)
        {
            ulong value = i < entries.Length ? entries[i] : (ulong)random.NextInt64(long.MinValue, long.MaxValue);
            BinaryPrimitives.WriteUInt64LittleEndian(memory[((int)Gdt + (i * 8))..], value);
        }
    }

    private static void WriteTables(Span<byte> memory)
    {
        Span<byte> tables = memory[(int)LongTables..];
        BinaryPrimitives.WriteUInt64LittleEndian(tables, (LongTables + 0x1000) | Leaf);
        BinaryPrimitives.WriteUInt64LittleEndian(tables[0xFF8..], (LongTables + 0x1000) | Leaf);
        BinaryPrimitives.WriteUInt64LittleEndian(tables[0x1000..], (LongTables + 0x2000) | Leaf);
        BinaryPrimitives.WriteUInt64LittleEndian(tables[0x1008..], Leaf | 0x80);
        BinaryPrimitives.WriteUInt64LittleEndian(tables[0x1018..], ApicDirectory | Leaf);
        BinaryPrimitives.WriteUInt64LittleEndian(tables[0x2000..], (LongTables + 0x3000) | Leaf);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[(int)PaePointers..], (LongTables + 0x2000) | 1);
        BinaryPrimitives.WriteUInt64LittleEndian(memory[((int)PaePointers + 24)..], ApicDirectory | 1);
        for (ulong i = 0; i < 512; i++)
        {
            if (i != 0)
                BinaryPrimitives.WriteUInt64LittleEndian(tables[(0x2000 + ((int)i * 8))..], (i << 21) | Leaf | 0x80);
            BinaryPrimitives.WriteUInt64LittleEndian(tables[(0x3000 + ((int)i * 8))..], (i << 12) | Leaf);
            BinaryPrimitives.WriteUInt64LittleEndian(memory[((int)ApicDirectory + ((int)i * 8))..], 0xC000_0000 | (i << 21) | Leaf | 0x80);
        }
        for (uint i = 0; i < 1024; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(memory[((int)Tables32 + ((int)i * 4))..], i == 0
                ? (uint)(Tables32 + 0x1000 + Leaf) : (i << 22) | 0x87);
            BinaryPrimitives.WriteUInt32LittleEndian(memory[((int)Tables32 + 0x1000 + ((int)i * 4))..], (i << 12) | 7);
        }
    }

    private static void Damage(Span<byte> memory, Random random)
    {
        for (int hits = random.Next(3) == 0 ? random.Next(1, 40) : 0; hits > 0; hits--)
        {
            int page = (int)(random.Next(3) == 0 ? Tables32 + 0x1000 : LongTables + 0x3000) + (random.Next(0x100) * 8);
            memory[page + (random.Next(3) == 0 ? random.Next(8) : 0)] ^= (byte)(1 << random.Next(8));
        }
        for (int hits = random.Next(4) == 0 ? random.Next(1, 10) : 0; hits > 0; hits--)
            memory[random.Next((int)Stubs)] ^= (byte)(1 << random.Next(8));
    }
}
