using System.Buffers.Binary;
using Vmm.X86.Execution;

namespace Vmm.Differential.Cases;

/// <summary>Random registers: general, flags, x87, SSE and AVX, with the values an instruction is made for.</summary>
internal static class StateSource
{
    // Interrupts are always on in a program, and Linux turns alignment checks on with RFLAGS.AC.
    private const ulong Always = 2 | LazyFlags.If;

    public static void Fill(ref CaseRandom random, Span<byte> record, in Instruction instruction, int bits)
    {
        for (int i = 0; i < 16; i++)
        {
            ulong value = ValueSource.Integer(ref random);
            if (bits == 32 && i < 8)
                value = (uint)(value >> (random.Percent(50) ? 32 : 0));
            BinaryPrimitives.WriteUInt64LittleEndian(record[(CaseLayout.GeneralOffset + (8 * i))..], value);
        }

        ulong flags = Always | (random.Next() & LazyFlags.Arithmetic);
        if (random.Percent(25))
            flags |= LazyFlags.Df;
        if (random.Percent(3))
            flags |= LazyFlags.Ac;
        if (random.Percent(3))
            flags |= LazyFlags.Nt;
        if (random.Percent(3))
            flags |= LazyFlags.Id;
        BinaryPrimitives.WriteUInt64LittleEndian(record[CaseLayout.FlagsOffset..], flags);
        Span<byte> area = record.Slice(CaseLayout.VectorsOffset, CaseLayout.XsaveLength);
        area.Clear();
        FillStack(ref random, area);
        FillVectors(ref random, area, KindOf(ref random, in instruction));
        uint control = 0x1F80 | ((uint)random.Next(4) << 13) | (random.Percent(25) ? 0x40u : 0) | (random.Percent(25) ? 0x8000u : 0);
        if (random.Percent(30))
            control &= ~((uint)random.Next(64) << 7);
        if (random.Percent(60))
            control |= (uint)random.Next(64);
        BinaryPrimitives.WriteUInt32LittleEndian(area[CaseLayout.MxcsrOffset..], control);
        BinaryPrimitives.WriteUInt32LittleEndian(area[(CaseLayout.MxcsrOffset + 4)..], 0xFFFF);
        BinaryPrimitives.WriteUInt64LittleEndian(area[CaseLayout.XstateOffset..], 7);
    }

    /// <summary>Which values suit an instruction, most of the time.</summary>
    public static ValueKind KindOf(ref CaseRandom random, in Instruction instruction)
    {
        ValueKind kind = Encoding.Of(instruction.Code)?.Float ?? ValueKind.Random;
        return kind == ValueKind.Random || random.Percent(10) ? (ValueKind)random.Next(5) : kind;
    }

    private static void FillVectors(ref CaseRandom random, Span<byte> area, ValueKind kind)
    {
        for (int i = 0; i < 16; i++)
        {
            ValueSource.Fill(ref random, area.Slice(CaseLayout.XmmOffset + (16 * i), 16), kind);
            ValueSource.Fill(ref random, area.Slice(CaseLayout.UpperOffset + (16 * i), 16), kind);
            if (i > 0 && random.Percent(8)) // equal operands
                area.Slice(CaseLayout.XmmOffset, 16).CopyTo(area[(CaseLayout.XmmOffset + (16 * i))..]);
        }
    }

    private static void FillStack(ref CaseRandom random, Span<byte> area)
    {
        ushort control = (ushort)(0x40 | (random.Next(0x20) << 8));
        if (random.Percent(70))
            control |= 0x3F;
        else
            control |= (ushort)random.Next(0x40);
        ushort status = (ushort)((random.Next(0x40) & (random.Percent(90) ? control : 0x3F)) | (random.Next(2) << 6)
            | (random.Next(0x80) << 8));
        if ((status & ~control & 0x3F) != 0)
            status |= 0x8080; // a pending exception shows in ES and B
        BinaryPrimitives.WriteUInt16LittleEndian(area, (ushort)(control & 0x1F7F));
        BinaryPrimitives.WriteUInt16LittleEndian(area[2..], status);
        area[4] = (byte)(random.Next(0x100) | random.Next(0x100) | (random.Percent(50) ? 0xFF : 0));
        if (random.Percent(10))
            area[4] = 0;
        for (int i = 0; i < 8; i++)
        {
            Span<byte> register = area[(CaseLayout.StackOffset + (16 * i))..];
            BinaryPrimitives.WriteUInt64LittleEndian(register, Significand(ref random));
            BinaryPrimitives.WriteUInt16LittleEndian(register[8..], Exponent(ref random));
        }
    }

    /// <summary>The significand of an extended number: normal ones mostly.</summary>
    public static ulong Significand(ref CaseRandom random) => random.Next(10) switch
    {
        0 => 0x8000_0000_0000_0000,
        1 => 0xC000_0000_0000_0000,
        2 => 0,
        3 => random.Next(),
        4 => random.Next() | (1UL << 63) | ((1UL << random.Next(64)) - 1),
        5 => (random.Next() << random.Next(64)) | (1UL << 63),
        _ => random.Next() | (1UL << 63),
    };

    /// <summary>Sign and exponent of an extended number: edges, halves and doubles' edges, numbers around one.</summary>
    public static ushort Exponent(ref CaseRandom random) => (ushort)((random.Next(2) << 15) | random.Next(12) switch
    {
        0 => 0,
        1 => 0x7FFF,
        2 => random.Next(1, 70),
        3 => random.Next(0x7FFE - 70, 0x7FFF),
        4 => 0x3FFF + random.Next(1020, 1028),
        5 => 0x3FFF - random.Next(1020, 1080),
        6 => 0x3FFF + (random.Percent(50) ? random.Next(125, 130) : -random.Next(124, 152)),
        7 => random.Next(0x8000),
        8 => 0x3FFF + random.Next(60, 68),
        9 => 0x3FFF + random.Next(12, 34),
        _ => 0x3FFF + random.Next(-4, 5),
    });
}
