using System.Buffers.Binary;

namespace Vmm.X86.Tests.Simd;

/// <summary>Operand bytes that hit edges far more often than uniform random ones would.</summary>
internal sealed class OperandSource(int seed)
{
    private static readonly ulong[] s_doubles =
    [
        0, 1, 2, 0x000F_FFFF_FFFF_FFFF, 0x0008_0000_0000_0000, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001, 0x001F_FFFF_FFFF_FFFF,
        0x3FDF_FFFF_FFFF_FFFF, 0x3FE0_0000_0000_0000, 0x3FE0_0000_0000_0001, 0x3FF0_0000_0000_0000, 0x3FF0_0000_0000_0001,
        0x3FEF_FFFF_FFFF_FFFF, 0x3FF8_0000_0000_0000, 0x4004_0000_0000_0000, 0x41DF_FFFF_FFC0_0000, 0x41DF_FFFF_FFE0_0000,
        0x41DF_FFFF_FFF0_0000, 0x41E0_0000_0000_0000, 0x41E0_0000_0010_0000, 0x41E0_0000_0020_0000, 0x41EF_FFFF_FFE0_0000,
        0x4330_0000_0000_0000, 0x432F_FFFF_FFFF_FFFF, 0x4340_0000_0000_0000, 0x43DF_FFFF_FFFF_FFFF, 0x43E0_0000_0000_0000,
        0x43E0_0000_0000_0001, 0x7FEF_FFFF_FFFF_FFFF, 0x7FE0_0000_0000_0000, 0x7FF0_0000_0000_0000, 0x7FF0_0000_0000_0001,
        0x7FF7_FFFF_FFFF_FFFF, 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_1234, 0x7FFF_FFFF_FFFF_FFFF, 0x47EF_FFFF_E000_0000,
        0x47EF_FFFF_F000_0000, 0x47F0_0000_0000_0000, 0x3810_0000_0000_0000, 0x380F_FFFF_F000_0000, 0x36A0_0000_0000_0000,
        0x3690_0000_0000_0000,
    ];

    private static readonly uint[] s_singles =
    [
        0, 1, 2, 0x007F_FFFF, 0x0040_0000, 0x0080_0000, 0x0080_0001, 0x00FF_FFFF, 0x3EFF_FFFF, 0x3F00_0000, 0x3F00_0001, 0x3F80_0000,
        0x3F80_0001, 0x3F7F_FFFF, 0x3FC0_0000, 0x4020_0000, 0x4EFF_FFFF, 0x4F00_0000, 0x4F00_0001, 0x4B00_0000, 0x4AFF_FFFF, 0x5EFF_FFFF,
        0x5F00_0000, 0x5F00_0001, 0x7F7F_FFFF, 0x7F00_0000, 0x7F80_0000, 0x7F80_0001, 0x7FBF_FFFF, 0x7FC0_0000, 0x7FC0_1234, 0x7FFF_FFFF,
    ];

    private readonly Random _random = new(seed);

    /// <summary>The generator behind it.</summary>
    public Random Random => _random;

    /// <summary>Fills 16 bytes of one kind.</summary>
    public void Fill(Span<byte> vector, int kind)
    {
        for (int offset = 0; offset < 16; offset += 8)
        {
            ulong value = kind switch
            {
                0 => Double(),
                1 => Single() | ((ulong)Single() << 32),
                2 => (ulong)_random.NextInt64(long.MinValue, long.MaxValue),
                _ => EdgeBytes(),
            };
            BinaryPrimitives.WriteUInt64LittleEndian(vector[offset..], value);
        }
    }

    private ulong EdgeBytes()
    {
        ReadOnlySpan<byte> edges = [0, 0, 1, 0x7F, 0x80, 0xFF, 0xFF, 0x41];
        ulong value = 0;
        for (int i = 0; i < 8; i++)
            value = (value << 8) | edges[_random.Next(edges.Length)];
        return value;
    }

    private ulong Double()
    {
        ulong sign = (ulong)_random.Next(2) << 63;
        ulong bits = (ulong)_random.NextInt64();
        return sign | _random.Next(8) switch
        {
            0 or 1 => s_doubles[_random.Next(s_doubles.Length)],
            2 => ((ulong)_random.Next(1020, 1100) << 52) | (bits >> 12),
            3 => ((ulong)_random.Next(1020, 1030) << 52) | (bits & 0x000F_FFF0_0000_0000), // few significant bits: exact results
            4 => ((ulong)_random.Next(0, 60) << 52) | (bits >> 12), // near underflow
            5 => ((ulong)_random.Next(1980, 2047) << 52) | (bits >> 12), // near overflow
            6 => ((ulong)_random.Next(480, 540) << 52) | (bits >> 12), // squares underflow
            _ => ((ulong)_random.Next(0, 2048) << 52) | (bits >> 12),
        };
    }

    private uint Single()
    {
        uint sign = (uint)_random.Next(2) << 31;
        uint fraction = (uint)_random.Next(1 << 23);
        return sign | _random.Next(8) switch
        {
            0 or 1 => s_singles[_random.Next(s_singles.Length)],
            2 => ((uint)_random.Next(120, 160) << 23) | fraction,
            3 => ((uint)_random.Next(120, 134) << 23) | (fraction & 0x7E_0000),
            4 => ((uint)_random.Next(0, 28) << 23) | fraction,
            5 => ((uint)_random.Next(226, 255) << 23) | fraction,
            6 => ((uint)_random.Next(48, 76) << 23) | fraction,
            _ => ((uint)_random.Next(256) << 23) | fraction,
        };
    }

    /// <summary>An MXCSR with every exception masked: any rounding, DAZ, FTZ, and flags either clear or set.</summary>
    public uint MaskedControl()
    {
        uint control = 0x1F80 | ((uint)_random.Next(4) << 13);
        if (_random.Next(4) == 0)
            control |= 0x40;
        if (_random.Next(4) == 0)
            control |= 0x8000;
        return _random.Next(3) switch { 0 => control, 1 => control | 0x20, _ => control | (uint)_random.Next(64) };
    }
}
