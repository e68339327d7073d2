using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>
/// The steps of AES (FIPS 197) on a block as an XMM register holds it, byte i being row i mod 4 of column i / 4: for hosts without AES
/// instructions.
/// </summary>
internal static class AesCipher
{
    private static readonly byte[] s_substitution = MakeSubstitution();
    private static readonly byte[] s_inverse = Invert(s_substitution);

    /// <summary>ShiftRows, SubBytes, MixColumns unless it is the last round, and the round key.</summary>
    public static Vector128<byte> Encrypt(Vector128<byte> state, Vector128<byte> key, bool last)
    {
        Vector128<byte> shifted = Vector128.Shuffle(state,
            Vector128.Create((byte)0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11));
        Vector128<byte> substituted = Substitute(shifted, s_substitution);
        return (last ? substituted : MixColumns(substituted, 2, 3, 1, 1)) ^ key;
    }

    /// <summary>The equivalent inverse cipher's round.</summary>
    public static Vector128<byte> Decrypt(Vector128<byte> state, Vector128<byte> key, bool last)
    {
        Vector128<byte> shifted = Vector128.Shuffle(state,
            Vector128.Create((byte)0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3));
        Vector128<byte> substituted = Substitute(shifted, s_inverse);
        return (last ? substituted : InverseMixColumns(substituted)) ^ key;
    }

    /// <summary>InvMixColumns.</summary>
    public static Vector128<byte> InverseMixColumns(Vector128<byte> state) => MixColumns(state, 14, 11, 13, 9);

    /// <summary>AESKEYGENASSIST (SDM Vol. 2A): substitutes words 1 and 3, and adds their rotations with the round constant.</summary>
    public static Vector128<byte> AssistKey(Vector128<byte> source, byte constant)
    {
        Vector128<uint> words = Substitute(source, s_substitution).AsUInt32();
        uint x1 = words[1], x3 = words[3];
        return Vector128.Create(x1, uint.RotateRight(x1, 8) ^ constant, x3, uint.RotateRight(x3, 8) ^ constant).AsByte();
    }

    private static unsafe Vector128<byte> Substitute(Vector128<byte> value, byte[] table)
    {
        byte* bytes = (byte*)&value; // SAFETY: a local of sixteen bytes
        for (int i = 0; i < 16; i++)
            bytes[i] = table[bytes[i]];
        return value;
    }

    // Every column times the circulant matrix whose first row is a, b, c, d.
    private static Vector128<byte> MixColumns(Vector128<byte> state, int a, int b, int c, int d)
    {
        Vector128<byte> next = Vector128.Shuffle(state, Vector128.Create((byte)1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12));
        Vector128<byte> opposite = Vector128.Shuffle(state, Vector128.Create((byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
        Vector128<byte> previous = Vector128.Shuffle(state, Vector128.Create((byte)3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
        return Times(state, a) ^ Times(next, b) ^ Times(opposite, c) ^ Times(previous, d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Times(Vector128<byte> value, int factor)
    {
        Vector128<byte> result = default;
        for (; factor != 0; factor >>= 1)
        {
            if ((factor & 1) != 0)
                result ^= value;
            Vector128<byte> reduction = Vector128.LessThan(value.AsSByte(), default).AsByte() & Vector128.Create((byte)0x1B);
            value = (value + value) ^ reduction;
        }
        return result;
    }

    // The multiplicative inverse in GF(2^8), then the affine map of FIPS 197 5.1.1; 3 generates the field.
    private static byte[] MakeSubstitution()
    {
        byte[] table = new byte[256];
        byte p = 1, q = 1;
        do
        {
            p = (byte)(p ^ (p << 1) ^ ((p & 0x80) != 0 ? 0x1B : 0));
            q ^= (byte)(q << 1);
            q ^= (byte)(q << 2);
            q ^= (byte)(q << 4);
            if ((q & 0x80) != 0)
                q ^= 0x09; // divided by 3
            table[p] = (byte)(q ^ byte.RotateLeft(q, 1) ^ byte.RotateLeft(q, 2) ^ byte.RotateLeft(q, 3) ^ byte.RotateLeft(q, 4) ^ 0x63);
        }
        while (p != 1);
        table[0] = 0x63;
        return table;
    }

    private static byte[] Invert(byte[] table)
    {
        byte[] inverse = new byte[256];
        for (int i = 0; i < 256; i++)
            inverse[table[i]] = (byte)i;
        return inverse;
    }
}
