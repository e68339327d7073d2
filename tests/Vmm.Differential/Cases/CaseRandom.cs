namespace Vmm.Differential.Cases;

/// <summary>
/// A small generator (SplitMix64): a case is made from its seed and number alone, so that each can be repeated by itself.
/// </summary>
internal struct CaseRandom(ulong seed, ulong number)
{
    private ulong _state = Mix(seed ^ 0x9E37_79B9_7F4A_7C15) + (Mix(number) * 0xD134_2543_DE82_EF95);

    public ulong Next()
    {
        _state += 0x9E37_79B9_7F4A_7C15;
        return Mix(_state);
    }

    /// <summary>0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => (int)(((UInt128)Next() * (ulong)bound) >> 64);

    public int Next(int from, int bound) => from + Next(bound - from);

    /// <summary>True this often.</summary>
    public bool Percent(int percent) => Next(100) < percent;

    public void Fill(Span<byte> bytes)
    {
        Span<ulong> words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes);
        for (int i = 0; i < words.Length; i++)
            words[i] = Next();
        for (int i = words.Length * 8; i < bytes.Length; i++)
            bytes[i] = (byte)Next();
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
