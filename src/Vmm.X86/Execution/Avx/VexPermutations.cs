using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// What crosses 128-bit lanes (SDM Vol. 2C). SAFETY: as IVexOperation says; element numbers are masked.

/// <summary>VPERMD, VPERMPS: the first source chooses doublewords of the second.</summary>
internal readonly unsafe struct VexPermuteDoublewords : IVexPlainOperation
{
    public static int Size => 32;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<uint> chosen = *(Vector256<uint>*)a & Vector256.Create(7U);
        *(Vector256<uint>*)d = Vector256.Shuffle(*(Vector256<uint>*)b, chosen);
    }
}

/// <summary>VPERMQ, VPERMPD: the immediate chooses quadwords.</summary>
internal readonly unsafe struct VexPermuteQuadwords : IVexPlainOperation
{
    public static int Size => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong* x = (ulong*)b, r = (ulong*)d;
        ulong q0 = x[immediate & 3], q1 = x[(immediate >> 2) & 3], q2 = x[(immediate >> 4) & 3], q3 = x[(immediate >> 6) & 3];
        r[0] = q0;
        r[1] = q1;
        r[2] = q2;
        r[3] = q3;
    }
}

/// <summary>VPERM2F128, VPERM2I128: each half of the result is a half of either source, or zero.</summary>
internal readonly unsafe struct VexPermuteLanes : IVexPlainOperation
{
    public static int Size => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Choose(ulong control, byte* a, byte* b) =>
        (control & 8) != 0 ? default : ((Vector128<byte>*)((control & 2) == 0 ? a : b))[control & 1];

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> low = Choose(immediate, a, b), high = Choose(immediate >> 4, a, b);
        ((Vector128<byte>*)d)[0] = low;
        ((Vector128<byte>*)d)[1] = high;
    }
}

/// <summary>VINSERTF128, VINSERTI128.</summary>
internal readonly unsafe struct VexInsertLane : IVexPlainOperation
{
    public static int Size => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> lane = *(Vector128<byte>*)b, kept = ((Vector128<byte>*)a)[(immediate & 1) ^ 1];
        ((Vector128<byte>*)d)[immediate & 1] = lane;
        ((Vector128<byte>*)d)[(immediate & 1) ^ 1] = kept;
    }
}

/// <summary>VBROADCASTF128, VBROADCASTI128.</summary>
internal readonly unsafe struct VexBroadcastLane : IVexPlainOperation
{
    public static int Size => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> lane = *(Vector128<byte>*)b;
        ((Vector128<byte>*)d)[0] = lane;
        ((Vector128<byte>*)d)[1] = lane;
    }
}

/// <summary>An element everywhere.</summary>
internal readonly unsafe struct VexBroadcast<T, TWidth> : IVexPlainOperation
    where T : unmanaged
    where TWidth : struct, IVexWidth
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> all = Vector128.Create(*(T*)b).AsByte();
        ((Vector128<byte>*)d)[0] = all;
        ((Vector128<byte>*)d)[1] = TWidth.Bytes == 32 ? all : default;
    }
}

/// <summary>PMOVSX and PMOVZX: as many elements as the destination holds, widened by sign or by zero as their type says.</summary>
internal readonly unsafe struct VexExtend<TFrom, TTo, TWidth> : IVexPlainOperation
    where TFrom : unmanaged, System.Numerics.INumberBase<TFrom>
    where TTo : unmanaged, System.Numerics.INumberBase<TTo>
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes / sizeof(TTo) * sizeof(TFrom);

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<TTo> result = default;
        for (int lane = 0; lane < TWidth.Bytes / sizeof(TTo); lane++)
            ((TTo*)&result)[lane] = TTo.CreateTruncating(((TFrom*)b)[lane]);
        *(Vector256<TTo>*)d = result;
    }
}
