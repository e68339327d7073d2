using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

// Multiplications, sums of absolute differences and horizontal sums (SDM Vol. 2B).

internal static class Lanes
{
    /// <summary>The even words, sign-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> EvenWords(Xmm x) => Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(x.AsInt32(), 16), 16);

    /// <summary>The odd words, sign-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> OddWords(Xmm x) => Vector128.ShiftRightArithmetic(x.AsInt32(), 16);

    /// <summary>The low words of even doublewords and of odd ones, interleaved again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Xmm JoinWords(Vector128<int> even, Vector128<int> odd) =>
        ((even & Vector128.Create(0xFFFF)) | Vector128.ShiftLeft(odd, 16)).AsByte();
}

internal readonly struct Pmullw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt16() * s.AsInt16()).AsByte();
}

internal readonly struct Pmulhw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Lanes.JoinWords(
        Vector128.ShiftRightArithmetic(Lanes.EvenWords(d) * Lanes.EvenWords(s), 16),
        Vector128.ShiftRightArithmetic(Lanes.OddWords(d) * Lanes.OddWords(s), 16));
}

internal readonly struct Pmulhuw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<uint> low = Vector128.Create(0xFFFFU);
        Vector128<uint> even = (d.AsUInt32() & low) * (s.AsUInt32() & low);
        Vector128<uint> odd = Vector128.ShiftRightLogical(d.AsUInt32(), 16) * Vector128.ShiftRightLogical(s.AsUInt32(), 16);
        return (Vector128.ShiftRightLogical(even, 16) | (odd & ~low)).AsByte();
    }
}

internal readonly struct Pmulhrsw : IPackedOperation
{
    private static Vector128<int> Round(Vector128<int> product) =>
        Vector128.ShiftRightArithmetic(Vector128.ShiftRightArithmetic(product, 14) + Vector128<int>.One, 1);

    public static Xmm Apply(Xmm d, Xmm s) =>
        Lanes.JoinWords(Round(Lanes.EvenWords(d) * Lanes.EvenWords(s)), Round(Lanes.OddWords(d) * Lanes.OddWords(s)));
}

internal readonly struct Pmulld : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => (d.AsInt32() * s.AsInt32()).AsByte();
}

internal readonly struct Pmuludq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<ulong> a = d.AsUInt64(), b = s.AsUInt64();
        return Vector128.Create((ulong)(uint)a[0] * (uint)b[0], (ulong)(uint)a[1] * (uint)b[1]).AsByte();
    }
}

internal readonly struct Pmuldq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<long> a = d.AsInt64(), b = s.AsInt64();
        return Vector128.Create((long)(int)a[0] * (int)b[0], (long)(int)a[1] * (int)b[1]).AsByte();
    }
}

internal readonly struct Pmaddwd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        ((Lanes.EvenWords(d) * Lanes.EvenWords(s)) + (Lanes.OddWords(d) * Lanes.OddWords(s))).AsByte();
}

internal readonly struct Pmaddubsw : IPackedOperation
{
    // The destination is unsigned, the source signed; the sum of two products saturates.
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<short> even = (d.AsInt16() & Vector128.Create((short)0xFF))
            * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(s.AsInt16(), 8), 8);
        Vector128<short> odd = Vector128.ShiftRightLogical(d.AsInt16(), 8) * Vector128.ShiftRightArithmetic(s.AsInt16(), 8);
        return Vector128.AddSaturate(even, odd).AsByte();
    }
}

internal readonly struct Psadbw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Xmm difference = Vector128.Max(d, s) - Vector128.Min(d, s);
        Vector128<ushort> words = (difference.AsUInt16() & Vector128.Create((ushort)0xFF))
            + Vector128.ShiftRightLogical(difference.AsUInt16(), 8);
        Vector128<uint> doublewords = (words.AsUInt32() & Vector128.Create(0xFFFFU)) + Vector128.ShiftRightLogical(words.AsUInt32(), 16);
        Vector128<ulong> pairs = doublewords.AsUInt64();
        return ((pairs & Vector128.Create(0xFFFF_FFFFUL)) + Vector128.ShiftRightLogical(pairs, 32)).AsByte();
    }
}

internal readonly struct Phaddw : IPackedOperation
{
    private static Vector128<int> Sum(Xmm x) => Lanes.EvenWords(x) + Lanes.OddWords(x);

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Sum(d), Sum(s)).AsByte();
}

internal readonly struct Phsubw : IPackedOperation
{
    private static Vector128<int> Difference(Xmm x) => Lanes.EvenWords(x) - Lanes.OddWords(x);

    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Narrow(Difference(d), Difference(s)).AsByte();
}

internal readonly struct Phaddsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        Packssdw.Apply((Lanes.EvenWords(d) + Lanes.OddWords(d)).AsByte(), (Lanes.EvenWords(s) + Lanes.OddWords(s)).AsByte());
}

internal readonly struct Phsubsw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) =>
        Packssdw.Apply((Lanes.EvenWords(d) - Lanes.OddWords(d)).AsByte(), (Lanes.EvenWords(s) - Lanes.OddWords(s)).AsByte());
}

internal readonly struct Phaddd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<int> a = d.AsInt32(), b = s.AsInt32();
        return Vector128.Create(a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]).AsByte();
    }
}

internal readonly struct Phsubd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<int> a = d.AsInt32(), b = s.AsInt32();
        return Vector128.Create(a[0] - a[1], a[2] - a[3], b[0] - b[1], b[2] - b[3]).AsByte();
    }
}

internal readonly struct Phminposuw : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<ushort> words = s.AsUInt16();
        ushort least = words[0];
        int index = 0;
        for (int lane = 1; lane < 8; lane++)
        {
            if (words[lane] < least)
            {
                least = words[lane];
                index = lane;
            }
        }
        return Vector128.Create((ulong)least | ((ulong)index << 16), 0UL).AsByte();
    }
}

internal readonly struct Mpsadbw : IPackedImmediateOperation
{
    public static int UpperLaneShift => 3;

    public static Xmm Apply(Xmm d, Xmm s, byte immediate)
    {
        int from = (immediate & 4) != 0 ? 4 : 0;
        int block = (immediate & 3) * 4;
        Span<ushort> sums = stackalloc ushort[8];
        for (int lane = 0; lane < 8; lane++)
        {
            int sum = 0;
            for (int k = 0; k < 4; k++)
                sum += Math.Abs(d[from + lane + k] - s[block + k]);
            sums[lane] = (ushort)sum;
        }
        return Vector128.Create<ushort>(sums).AsByte();
    }
}
