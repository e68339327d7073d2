using System.Buffers.Binary;

namespace Vmm.Differential.Cases;

/// <summary>Operand values that hit edges far more often than uniform ones would.</summary>
internal static class ValueSource
{
    private static readonly ulong[] s_integers =
    [
        0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
        0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001, ulong.MaxValue, ulong.MaxValue - 1, 0xFFFF_FFFF_8000_0000,
    ];

    private static readonly ulong[] s_doubles =
    [
        0, 1, 2, 0x000F_FFFF_FFFF_FFFF, 0x0008_0000_0000_0000, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001, 0x001F_FFFF_FFFF_FFFF,
        0x3FDF_FFFF_FFFF_FFFF, 0x3FE0_0000_0000_0000, 0x3FE0_0000_0000_0001, 0x3FEF_FFFF_FFFF_FFFF, 0x3FF0_0000_0000_0000,
        0x3FF0_0000_0000_0001, 0x3FF8_0000_0000_0000, 0x4004_0000_0000_0000, 0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000,
        0x41E0_0000_0000_0000, 0x41E0_0000_0020_0000, 0x41EF_FFFF_FFE0_0000, 0x432F_FFFF_FFFF_FFFF, 0x4330_0000_0000_0000,
        0x4340_0000_0000_0000, 0x43DF_FFFF_FFFF_FFFF, 0x43E0_0000_0000_0000, 0x43E0_0000_0000_0001, 0x7FE0_0000_0000_0000,
        0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0001, 0x7FF7_FFFF_FFFF_FFFF, 0x7FF8_0000_0000_0000,
        0x7FF8_0000_0000_1234, 0x7FFF_FFFF_FFFF_FFFF, 0x47EF_FFFF_E000_0000, 0x47EF_FFFF_F000_0000, 0x47F0_0000_0000_0000,
        0x3810_0000_0000_0000, 0x380F_FFFF_F000_0000, 0x36A0_0000_0000_0000, 0x3690_0000_0000_0000,
    ];

    private static readonly uint[] s_singles =
    [
        0, 1, 2, 0x007F_FFFF, 0x0040_0000, 0x0080_0000, 0x0080_0001, 0x00FF_FFFF, 0x3EFF_FFFF, 0x3F00_0000, 0x3F00_0001, 0x3F7F_FFFF,
        0x3F80_0000, 0x3F80_0001, 0x3FC0_0000, 0x4020_0000, 0x4AFF_FFFF, 0x4B00_0000, 0x4EFF_FFFF, 0x4F00_0000, 0x4F00_0001, 0x5EFF_FFFF,
        0x5F00_0000, 0x5F00_0001, 0x7F00_0000, 0x7F7F_FFFF, 0x7F80_0000, 0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FC0_1234, 0x7FFF_FFFF,
        0x477F_E000, 0x477F_F000, 0x3880_0000, 0x387F_FFFF, 0x3300_0000, 0x3300_0001,
    ];

    private static readonly ushort[] s_halves =
        [0, 1, 0x3FF, 0x400, 0x3C00, 0x3C01, 0x7BFF, 0x7C00, 0x7C01, 0x7DFF, 0x7E00, 0x7FFF];

    /// <summary>A register: an edge, a small number or any.</summary>
    public static ulong Integer(ref CaseRandom random)
    {
        ulong value = random.Next();
        return random.Next(8) switch
        {
            0 or 1 => s_integers[random.Next(s_integers.Length)],
            2 => value >> random.Next(64),
            3 => (ulong)((long)value >> random.Next(64)),
            4 => 1UL << random.Next(64),
            _ => value,
        };
    }

    /// <summary>Fills a multiple of eight bytes with values of one kind.</summary>
    public static void Fill(ref CaseRandom random, Span<byte> bytes, ValueKind kind)
    {
        for (int offset = 0; offset < bytes.Length; offset += 8)
        {
            ulong value = kind switch
            {
                ValueKind.Double => Double(ref random),
                ValueKind.Single => Single(ref random) | ((ulong)Single(ref random) << 32),
                ValueKind.Half => Half(ref random) | ((ulong)Half(ref random) << 16) | ((ulong)Half(ref random) << 32)
                    | ((ulong)Half(ref random) << 48),
                ValueKind.Edges => Edges(ref random),
                _ => random.Next(),
            };
            BinaryPrimitives.WriteUInt64LittleEndian(bytes[offset..], value);
        }
    }

    private static ulong Edges(ref CaseRandom random)
    {
        ReadOnlySpan<byte> edges = [0, 0, 1, 0x7F, 0x80, 0xFF, 0xFF, 0x41];
        ulong choices = random.Next(), value = 0;
        for (int i = 0; i < 8; i++, choices >>= 3)
            value = (value << 8) | edges[(int)(choices & 7)];
        return value;
    }

    private static ulong Double(ref CaseRandom random)
    {
        ulong bits = random.Next(), sign = bits & (1UL << 63);
        ulong fraction = bits & 0x000F_FFFF_FFFF_FFFF;
        return sign | random.Next(8) switch
        {
            0 or 1 => s_doubles[random.Next(s_doubles.Length)],
            2 => ((ulong)random.Next(1020, 1100) << 52) | fraction,
            3 => ((ulong)random.Next(1020, 1030) << 52) | (fraction & 0x000F_FFF0_0000_0000), // few significant bits: exact results
            4 => ((ulong)random.Next(0, 60) << 52) | fraction, // near underflow
            5 => ((ulong)random.Next(1980, 2047) << 52) | fraction, // near overflow
            6 => ((ulong)random.Next(480, 540) << 52) | fraction, // squares underflow
            _ => ((ulong)random.Next(0, 2048) << 52) | fraction,
        };
    }

    private static uint Single(ref CaseRandom random)
    {
        uint bits = (uint)random.Next(), sign = bits & 0x8000_0000, fraction = bits & 0x7F_FFFF;
        return sign | random.Next(8) switch
        {
            0 or 1 => s_singles[random.Next(s_singles.Length)],
            2 => ((uint)random.Next(120, 160) << 23) | fraction,
            3 => ((uint)random.Next(120, 134) << 23) | (fraction & 0x7E_0000),
            4 => ((uint)random.Next(0, 28) << 23) | fraction,
            5 => ((uint)random.Next(226, 255) << 23) | fraction,
            6 => ((uint)random.Next(48, 76) << 23) | fraction,
            _ => ((uint)random.Next(256) << 23) | fraction,
        };
    }

    private static ushort Half(ref CaseRandom random) => (ushort)(random.Next(3) == 0
        ? s_halves[random.Next(s_halves.Length)] | (random.Next(2) << 15)
        : random.Next(0x1_0000));
}
