using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Tests.FloatingPoint;

/// <summary>Register-format operands: every class of encoding at its edges, and seeded random ones that meet each other often.</summary>
internal static class Operands
{
    private static readonly ushort[] s_exponents =
    [
        0x0000, 0x0001, 0x0002, 0x0040, 0x3FBE, 0x3FFD, 0x3FFE, 0x3FFF, 0x4000, 0x403D, 0x403E, 0x403F, 0x407F,
        0x7FBE, 0x7FFD, 0x7FFE, 0x7FFF,
    ];

    private static readonly ulong[] s_significands =
    [
        0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF, 0xC000_0000_0000_0000, 0x8000_0000_0000_0001, 0xFFFF_FF80_0000_0000,
        0xFFFF_FFFF_FFFF_FC00, 0xA000_0000_0000_1234,
    ];

    public static Float80[] Edges { get; } = MakeEdges();

    public static Float80 Random(Random random)
    {
        ulong significand = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        significand = random.Next(6) switch
        {
            0 => significand & 0xFFFF_FF00_0000_0000,
            1 => significand | 0x0000_00FF_FFFF_FFFF,
            2 => significand & 0xFFFF_FFFF_FFFF_F800,
            3 => ulong.MaxValue << random.Next(64),
            _ => significand,
        };
        if (random.Next(24) != 0)
            significand |= 1UL << 63;
        int exponent = random.Next(8) switch
        {
            0 => random.Next(0x8000),
            1 => random.Next(3),
            2 => 0x7FFF - random.Next(3),
            3 => 0x3FFF + random.Next(-70, 70),
            _ => 0x3FFF + random.Next(-6, 6),
        };
        return new Float80(significand, (ushort)(exponent | (random.Next(2) << 15)));
    }

    /// <summary>A finite value around one: what transcendental arguments look like.</summary>
    public static Float80 Moderate(Random random, int lowest, int highest)
    {
        ulong significand = (ulong)random.NextInt64(long.MinValue, long.MaxValue) | (1UL << 63);
        return new Float80(significand, (ushort)((0x3FFF + random.Next(lowest, highest)) | (random.Next(2) << 15)));
    }

    private static Float80[] MakeEdges()
    {
        List<Float80> edges = [];
        foreach (ushort exponent in s_exponents)
        {
            foreach (ulong significand in s_significands)
                edges.Add(new Float80(significand, exponent));
        }

        edges.Add(Float80.Zero);
        edges.Add(new Float80(1, 0));
        edges.Add(new Float80(0x7FFF_FFFF_FFFF_FFFF, 0));
        edges.Add(new Float80(0x7FFF_FFFF_FFFF_FFFF, 0x3FFF));
        edges.Add(new Float80(0, 0x3FFF));
        edges.Add(new Float80(0, 0x7FFF));
        edges.Add(new Float80(0x4000_0000_0000_0000, 0x7FFF));
        edges.Add(new Float80(0x9234_0000_0000_0000, 0x7FFF));
        edges.Add(new Float80(0xD234_0000_0000_0000, 0x7FFF));
        return [.. edges, .. edges.Select(e => e.Negate())];
    }
}
