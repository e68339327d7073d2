using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Moves between vector registers, from general registers and from memory. SAFETY: as IVexOperation says.

/// <summary>VMOVUPS and its kin.</summary>
internal readonly unsafe struct VexMove<TWidth> : IVexPlainOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        VexDestination.Set<TWidth>(d, b);
    }
}

/// <summary>VMOVAPS and its kin.</summary>
internal readonly unsafe struct VexAlignedMove<TWidth> : IVexPlainOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        VexDestination.Set<TWidth>(d, b);
    }
}

/// <summary>A scalar, everything above it cleared: VMOVD, VMOVQ, VMOVSS and VMOVSD from memory.</summary>
internal readonly unsafe struct VexScalarMove<T> : IVexPlainOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        VexDestination.Set(d, Vector128.CreateScalar(sizeof(T) == 4 ? *(uint*)b : *(ulong*)b).AsByte());
    }
}

/// <summary>VMOVSS between registers: the low doubleword of the second source, the rest of the first.</summary>
internal readonly unsafe struct VexMergeSingle : IVexPlainOperation
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        VexDestination.Set(d, Vector128.WithElement(*(Vector128<uint>*)a, 0, *(uint*)b).AsByte());
    }
}

/// <summary>Where the quadwords of a two-quadword result come from.</summary>
internal interface IQuadwordPair
{
    /// <summary>Result's low quadword: index in the second source, or -1 for the first source's own.</summary>
    static abstract int Low { get; }

    /// <summary>The high one: index in the second source, or -1.</summary>
    static abstract int High { get; }
}

/// <summary>VMOVSD between registers, VMOVLPS and VMOVLPD from memory.</summary>
internal readonly struct LowFromSecond : IQuadwordPair
{
    public static int Low => 0;

    public static int High => -1;
}

/// <summary>VMOVHLPS.</summary>
internal readonly struct LowFromSecondHigh : IQuadwordPair
{
    public static int Low => 1;

    public static int High => -1;
}

/// <summary>VMOVLHPS, VMOVHPS and VMOVHPD from memory.</summary>
internal readonly struct HighFromSecond : IQuadwordPair
{
    public static int Low => -1;

    public static int High => 0;
}

/// <summary>Two quadwords, one of each source.</summary>
internal readonly unsafe struct VexPair<TPair> : IVexPlainOperation
    where TPair : struct, IQuadwordPair
{
    public static int Size => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong low = TPair.Low < 0 ? ((ulong*)a)[0] : ((ulong*)b)[TPair.Low];
        ulong high = TPair.High < 0 ? ((ulong*)a)[1] : ((ulong*)b)[TPair.High];
        VexDestination.Set(d, Vector128.Create(low, high).AsByte());
    }
}

/// <summary>VMOVDDUP: the even quadwords, each twice. The 128-bit form reads eight bytes only.</summary>
internal readonly unsafe struct VexDuplicate<TWidth> : IVexPlainOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes == 32 ? 32 : 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong low = ((ulong*)b)[0], high = TWidth.Bytes == 32 ? ((ulong*)b)[2] : 0;
        ((Vector128<ulong>*)d)[0] = Vector128.Create(low);
        ((Vector128<ulong>*)d)[1] = Vector128.Create(high);
    }
}
