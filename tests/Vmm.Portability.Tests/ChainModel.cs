using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Vmm.Portability.Tests;

/// <summary>What <see cref="ChainGuest"/> must come to, computed by the host without any of the library.</summary>
internal sealed class ChainModel
{
    private const int Rax = 0, Rcx = 1, Rdx = 2, Rbx = 3, Rsp = 4, Rbp = 5, Rsi = 6, Rdi = 7, R8 = 8, R9 = 9, R10 = 10, R11 = 11, R12 = 12, R13 = 13, R14 = 14, R15 = 15;

    private readonly ulong[] _general = [.. InitialGeneral];
    private readonly (ulong Low, ulong High)[] _vectors = [.. InitialVectors];
    private readonly ulong[] _table = new ulong[ChainGuest.TableLength];
    private ulong _carry;
    private long _steps;

    /// <summary>General registers at the start, in the order of their numbers.</summary>
    public static IReadOnlyList<ulong> InitialGeneral { get; } =
    [
        0x0123_4567_89AB_CDEF, 0, 0x1111_2222_3333_4444, 0xFEDC_BA98_7654_3210, ChainGuest.Stack, 0x5555_AAAA_5555_AAAA, 0x9E37_79B9_7F4A_7C15, 3,
        6_364_136_223_846_793_005, 1_442_695_040_888_963_407, 0xDEAD_BEEF_CAFE_F00D, 0, 1, 0x0102_0304_0506_0708, 7, 0,
    ];

    /// <summary>XMM registers at the start. 4 holds two chaotic numbers, 6 ones, 7 their factors.</summary>
    public static IReadOnlyList<(ulong Low, ulong High)> InitialVectors { get; } =
    [
        (1, 2), (3, 4), (0, 0), (0, 0), Doubles(0.3, 0.7), (0, 0), Doubles(1, 1), Doubles(3.9, 3.7),
        .. Enumerable.Range(8, 8).Select(i => ((ulong)i * 0x1_0000_0001UL, (ulong)i << 40)),
    ];

    /// <summary>Goes on by one round.</summary>
    public void AdvanceRound()
    {
        for (int step = 0; step < ChainGuest.StepsPerRound; step++)
            Step();
        _general[R15] = 0;
    }

    /// <summary>Compares what the guest wrote.</summary>
    /// <returns>The first difference in words, or null.</returns>
    public string? Compare(ReadOnlySpan<byte> dump, ReadOnlySpan<byte> table)
    {
        for (int i = 0; i < 16; i++)
        {
            ulong found = BinaryPrimitives.ReadUInt64LittleEndian(dump[(8 * i)..]);
            if (found != _general[i])
                return $"general register {i} is 0x{found:X16}, not 0x{_general[i]:X16}, after {_steps} steps";
        }
        ushort selector = BinaryPrimitives.ReadUInt16LittleEndian(dump[128..]);
        if (selector != ChainGuest.CodeSelector)
            return $"CS is 0x{selector:X}";
        long count = BinaryPrimitives.ReadInt64LittleEndian(dump[136..]);
        if (count != _steps)
            return $"ST0 is {count}, not {_steps}";
        for (int i = 0; i < 16; i++)
        {
            ulong low = BinaryPrimitives.ReadUInt64LittleEndian(dump[(144 + (16 * i))..]), high = BinaryPrimitives.ReadUInt64LittleEndian(dump[(152 + (16 * i))..]);
            if ((low, high) != _vectors[i])
                return $"XMM{i} is 0x{high:X16}{low:X16}, not 0x{_vectors[i].High:X16}{_vectors[i].Low:X16}, after {_steps} steps";
        }
        return table.SequenceEqual(MemoryMarshal.AsBytes(_table.AsSpan())) ? null : $"the table differs after {_steps} steps";
    }

    private void Step()
    {
        ulong[] g = _general;
        g[Rbx] += g[R10] + _carry;
        g[Rax] = (g[Rax] * g[R8]) + g[R9];
        g[Rdx] = BitOperations.RotateLeft(g[Rdx] ^ g[Rbx], 17);
        ulong borrow = g[Rsi] < g[Rdx] ? 1UL : 0;
        g[Rsi] -= g[Rdx];
        g[Rdi] -= g[Rax] + borrow;
        int index = (int)(g[Rax] >> 52);
        _table[index] ^= g[Rdi];
        g[Rbp] += _table[index];
        g[R11] = BitOperations.RotateLeft(g[Rbp], 7);
        g[R12] += g[R11];
        g[R13] = BinaryPrimitives.ReverseEndianness(g[R13]) ^ g[R12];
        g[R14] = (g[R14] * 5) + 1;
        index &= ~1;
        g[Rcx] = (ulong)index;

        (ulong Low, ulong High)[] v = _vectors;
        v[2] = (g[Rax], 0);
        v[0].Low += g[Rax];
        v[3] = (v[0].High, v[0].Low);
        v[1] = (v[1].Low ^ v[3].Low, v[1].High ^ v[3].High);
        (_table[index], _table[index + 1]) = v[1];
        (v[4].Low, v[5].Low) = Logistic(v[4].Low, v[7].Low);
        (v[4].High, v[5].High) = Logistic(v[4].High, v[7].High);
        for (int i = 8; i < 16; i++)
        {
            (ulong Low, ulong High) other = v[i == 15 ? 8 : i + 1];
            v[i] = (AddWords(v[i].Low, other.Low), AddWords(v[i].High, other.High));
        }
        v[15] = (v[15].Low ^ v[1].Low, v[15].High ^ v[1].High);
        UInt128 sum = (UInt128)g[Rbp] + g[R14];
        g[Rbp] = (ulong)sum;
        _carry = (ulong)(sum >> 64);
        _steps++;
    }

    private static (ulong Value, ulong Remainder) Logistic(ulong value, ulong factor)
    {
        double x = BitConverter.UInt64BitsToDouble(value);
        double rest = 1.0 - x;
        double product = x * rest;
        return (BitConverter.DoubleToUInt64Bits(product * BitConverter.UInt64BitsToDouble(factor)), BitConverter.DoubleToUInt64Bits(rest));
    }

    private static ulong AddWords(ulong left, ulong right) => (uint)(left + right) | ((left & 0xFFFF_FFFF_0000_0000) + (right & 0xFFFF_FFFF_0000_0000));

    private static (ulong Low, ulong High) Doubles(double low, double high) => (BitConverter.DoubleToUInt64Bits(low), BitConverter.DoubleToUInt64Bits(high));
}
