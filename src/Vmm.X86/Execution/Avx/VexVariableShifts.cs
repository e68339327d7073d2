using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Xmm = System.Runtime.Intrinsics.Vector128<byte>;

namespace Vmm.X86.Execution;

// Shifts and in-lane permutations that AVX and AVX2 add, every element by its own count (SDM Vol. 2C). Counts are clamped, not masked.

internal readonly struct Psllvd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<uint> x = d.AsUInt32(), n = s.AsUInt32();
        if (Avx2.IsSupported)
            return Avx2.ShiftLeftLogicalVariable(x, n).AsByte();
        return Vector128.Create(Shift(x[0], n[0]), Shift(x[1], n[1]), Shift(x[2], n[2]), Shift(x[3], n[3])).AsByte();
    }

    private static uint Shift(uint x, uint count) => count > 31 ? 0 : x << (int)count;
}

internal readonly struct Psrlvd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<uint> x = d.AsUInt32(), n = s.AsUInt32();
        if (Avx2.IsSupported)
            return Avx2.ShiftRightLogicalVariable(x, n).AsByte();
        return Vector128.Create(Shift(x[0], n[0]), Shift(x[1], n[1]), Shift(x[2], n[2]), Shift(x[3], n[3])).AsByte();
    }

    private static uint Shift(uint x, uint count) => count > 31 ? 0 : x >> (int)count;
}

internal readonly struct Psravd : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<int> x = d.AsInt32();
        Vector128<uint> n = s.AsUInt32();
        if (Avx2.IsSupported)
            return Avx2.ShiftRightArithmeticVariable(x, n).AsByte();
        return Vector128.Create(Shift(x[0], n[0]), Shift(x[1], n[1]), Shift(x[2], n[2]), Shift(x[3], n[3])).AsByte();
    }

    private static int Shift(int x, uint count) => x >> (int)Math.Min(count, 31);
}

internal readonly struct Psllvq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<ulong> x = d.AsUInt64(), n = s.AsUInt64();
        return Avx2.IsSupported
            ? Avx2.ShiftLeftLogicalVariable(x, n).AsByte()
            : Vector128.Create(Shift(x[0], n[0]), Shift(x[1], n[1])).AsByte();
    }

    private static ulong Shift(ulong x, ulong count) => count > 63 ? 0 : x << (int)count;
}

internal readonly struct Psrlvq : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s)
    {
        Vector128<ulong> x = d.AsUInt64(), n = s.AsUInt64();
        return Avx2.IsSupported
            ? Avx2.ShiftRightLogicalVariable(x, n).AsByte()
            : Vector128.Create(Shift(x[0], n[0]), Shift(x[1], n[1])).AsByte();
    }

    private static ulong Shift(ulong x, ulong count) => count > 63 ? 0 : x >> (int)count;
}

internal readonly struct VariablePermilps : IPackedOperation
{
    public static Xmm Apply(Xmm d, Xmm s) => Vector128.Shuffle(d.AsUInt32(), s.AsUInt32() & Vector128.Create(3U)).AsByte();
}

internal readonly struct VariablePermilpd : IPackedOperation
{
    // Bit 1 of each quadword chooses.
    public static Xmm Apply(Xmm d, Xmm s) =>
        Vector128.Shuffle(d.AsUInt64(), Vector128.ShiftRightLogical(s.AsUInt64(), 1) & Vector128<ulong>.One).AsByte();
}

internal readonly struct Permilpd : IPackedImmediateOperation
{
    public static int UpperLaneShift => 2;

    public static Xmm Apply(Xmm d, Xmm s, byte immediate) =>
        Vector128.Create(s.AsUInt64()[immediate & 1], s.AsUInt64()[(immediate >> 1) & 1]).AsByte();
}
