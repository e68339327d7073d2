using System.Buffers.Binary;
using System.Text;

namespace Vmm;

/// <summary>Builds the leaves of a profile (SDM Vol. 2A, CPUID).</summary>
internal static class CpuidLeaves
{
    internal const uint ClockLeaf = 0x15;
    internal const uint FrequencyLeaf = 0x16;

    /// <summary>Family 6, model 0x1C, stepping 10: an in-order processor, see docs/profiles.md.</summary>
    private const uint Signature = 0x0001_06CA;
    private const uint CacheLine = 64;

    internal static IReadOnlyList<CpuidLeaf> Build(string brand, ProcessorFeatures features, int addressBits, ulong tscHertz, ulong apicTimerHertz)
    {
        List<CpuidLeaf> leaves =
        [
            Signed(0, FrequencyLeaf, "Genu", "ntel", "ineI"),
            new(1, null, new(Signature, CacheLine / 8 << 8, (uint)features.Further, (uint)features.Basic)),
            new(2, null, new(0xFF01, 0, 0, 0)),
            new(4, 0, Cache(type: 1, level: 1, ways: 8, sets: 64)),
            new(4, 1, Cache(type: 2, level: 1, ways: 8, sets: 64)),
            new(4, 2, Cache(type: 3, level: 2, ways: 16, sets: 1024)),
            new(6, null, new(1 << 2, 0, 0, 0)),
            new(7, 0, new(0, (uint)features.Structured, (uint)features.StructuredFurther, 0)),
            new(0xB, 0, new(0, 1, 1 << 8, 0)),
            new(0xB, 1, new(0, 1, (2 << 8) | 1, 0)),
        ];
        if (features.Xcr0 != 0)
        {
            // Legacy area and header, then the upper halves of the YMM registers (SDM Vol. 1 13.4, 13.5.3).
            const uint LegacySize = 576, UpperSize = 256;
            bool avx = (features.Xcr0 & 4) != 0;
            leaves.Add(new(0xD, 0, new((uint)features.Xcr0, 0, LegacySize + (avx ? UpperSize : 0), (uint)(features.Xcr0 >> 32))));
            leaves.Add(new(0xD, 1, default));
            if (avx)
                leaves.Add(new(0xD, 2, new(UpperSize, LegacySize, 0, 0)));
        }
        leaves.Add(Clock(tscHertz, apicTimerHertz));
        leaves.Add(Frequency(tscHertz));
        leaves.Add(Signed(0x4000_0000, 0x4000_0000, "Vmm.", "Vmm.", "Vmm."));
        leaves.Add(new(0x8000_0000, null, new(0x8000_0008, 0, 0, 0)));
        leaves.Add(new(0x8000_0001, null, new(0, 0, (uint)features.ExtendedFurther, (uint)features.Extended)));
        AddBrand(leaves, brand);
        leaves.Add(new(0x8000_0006, null, new(0, 0, (1024 << 16) | (8 << 12) | CacheLine, 0)));
        leaves.Add(new(0x8000_0007, null, new(0, 0, 0, 1 << 8)));
        leaves.Add(new(0x8000_0008, null, new((48 << 8) | (uint)addressBits, 0, 0, 0)));
        return leaves.AsReadOnly();
    }

    /// <summary>
    /// TSC and crystal clock. Guests compute the TSC frequency in 32-bit kilohertz: where that would overflow or be inexact the leaf is
    /// zero, which means "not enumerated", and the guest measures.
    /// </summary>
    internal static CpuidLeaf Clock(ulong tscHertz, ulong crystalHertz)
    {
        ulong divisor = GreatestCommonDivisor(tscHertz, crystalHertz);
        ulong numerator = tscHertz / divisor;
        ulong denominator = crystalHertz / divisor;
        bool expressible = crystalHertz <= uint.MaxValue && crystalHertz % 1000 == 0 && numerator <= uint.MaxValue / (crystalHertz / 1000);
        return new(ClockLeaf, null, expressible ? new((uint)denominator, (uint)numerator, (uint)crystalHertz, 0) : default);
    }

    /// <summary>Base, maximum and bus frequency in megahertz.</summary>
    internal static CpuidLeaf Frequency(ulong tscHertz)
    {
        uint megahertz = (uint)Math.Min((tscHertz + 500_000) / 1_000_000, ushort.MaxValue);
        return new(FrequencyLeaf, null, new(megahertz, megahertz, 100, 0));
    }

    private static CpuidLeaf Signed(uint leaf, uint maximum, string ebx, string ecx, string edx) =>
        new(leaf, null, new(maximum, Word(Encoding.ASCII.GetBytes(ebx)), Word(Encoding.ASCII.GetBytes(ecx)), Word(Encoding.ASCII.GetBytes(edx))));

    private static CpuidResult Cache(uint type, uint level, uint ways, uint sets) =>
        new((1 << 8) | (level << 5) | type, ((ways - 1) << 22) | (CacheLine - 1), sets - 1, 0);

    private static void AddBrand(List<CpuidLeaf> leaves, string brand)
    {
        byte[] bytes = new byte[48];
        Encoding.ASCII.GetBytes(brand, bytes);
        for (int leaf = 0; leaf < 3; leaf++)
        {
            ReadOnlySpan<byte> part = bytes.AsSpan(leaf * 16, 16);
            leaves.Add(new(0x8000_0002 + (uint)leaf, null, new(Word(part), Word(part[4..]), Word(part[8..]), Word(part[12..]))));
        }
    }

    private static uint Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong GreatestCommonDivisor(ulong a, ulong b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
