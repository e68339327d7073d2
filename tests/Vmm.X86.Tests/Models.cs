namespace Vmm.X86.Tests;

/// <summary>CPUID models that tests need.</summary>
internal static class Models
{
    /// <summary>The baseline with more feature bits: (word, bit) as <see cref="CpuFeature"/> numbers them.</summary>
    public static CpuidModel With(params (int Word, int Bit)[] bits)
    {
        uint[] words = [0x078B_FBFF, 0x8000_2001, 0, 0, 0, 0x2010_0800, 1, 0, 0];
        foreach ((int word, int bit) in bits)
            words[word] |= 1U << bit;
        return new CpuidModel(
        [
            new CpuidRow(0, null, 0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69),
            new CpuidRow(1, null, 0x000006F2, 0x0001_0800, words[1], words[0]),
            new CpuidRow(7, 0, 0, words[2], words[3], words[4]),
            new CpuidRow(0xB, 0, 0, 1, 0x100, 0),
            new CpuidRow(0xB, 1, 1, 2, 0x201, 0),
            new CpuidRow(0xD, 0, 7, 0, 0x340, 0),
            new CpuidRow(0xD, 1, words[7], 0, 0, 0),
            new CpuidRow(0xD, 2, 256, 576, 0, 0),
            new CpuidRow(0x8000_0000, null, 0x8000_0008, 0, 0, 0),
            new CpuidRow(0x8000_0001, null, 0, 0, words[6], words[5]),
            new CpuidRow(0x8000_0008, null, 0x3028, words[8], 0, 0),
        ]);
    }

    public static CpuidModel With(params CpuFeature[] features) => With([.. features.Select(f => ((int)f >> 5, (int)f & 31))]);
}
