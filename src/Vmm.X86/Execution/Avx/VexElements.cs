using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Single elements, masks, blends by a register and tests (SDM Vol. 2). SAFETY: as IVexOperation says; element numbers are masked.

/// <summary>VPINSRB to VPINSRQ.</summary>
internal readonly unsafe struct VexInsert<T> : IVexPlainOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> result = *(Vector128<byte>*)a;
        ((T*)&result)[immediate & (ulong)((16 / sizeof(T)) - 1)] = *(T*)b;
        VexDestination.Set(d, result);
    }
}

/// <summary>Whether VINSERTPS chooses its source element.</summary>
internal interface IInsertedElement
{
    static abstract bool Chosen { get; }
}

/// <summary>From a register.</summary>
internal readonly struct ChosenElement : IInsertedElement
{
    public static bool Chosen => true;
}

/// <summary>From memory.</summary>
internal readonly struct OnlyElement : IInsertedElement
{
    public static bool Chosen => false;
}

/// <summary>VINSERTPS.</summary>
internal readonly unsafe struct VexInsertSingle<TElement> : IVexPlainOperation
    where TElement : struct, IInsertedElement
{
    public static int Size => 4;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte> result = *(Vector128<byte>*)a;
        uint* lanes = (uint*)&result;
        lanes[(immediate >> 4) & 3] = ((uint*)b)[TElement.Chosen ? (immediate >> 6) & 3 : 0];
        for (int lane = 0; lane < 4; lane++)
        {
            if ((immediate & (1UL << lane)) != 0)
                lanes[lane] = 0;
        }
        VexDestination.Set(d, result);
    }
}

/// <summary>The sign bits of 32 bytes' elements, into a general register.</summary>
internal readonly unsafe struct VexMask<T> : IVexPlainOperation
    where T : unmanaged
{
    public static int Size => 32;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) =>
        *(ulong*)d = (*(Vector256<byte>*)b).As<byte, T>().ExtractMostSignificantBits();
}

/// <summary>The sign bits of 16 bytes' elements.</summary>
internal readonly unsafe struct VexMask128<T> : IVexPlainOperation
    where T : unmanaged
{
    public static int Size => 16;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) =>
        *(ulong*)d = (*(Vector128<byte>*)b).As<byte, T>().ExtractMostSignificantBits();
}

/// <summary>An element, zero-extended into a general register.</summary>
internal readonly unsafe struct VexElement<T> : IVexPlainOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) =>
        *(ulong*)d = sizeof(T) switch { 1 => *b, 2 => *(ushort*)b, 4 => *(uint*)b, _ => *(ulong*)b };
}

/// <summary>VZEROUPPER in 64-bit code.</summary>
internal readonly unsafe struct VexZeroUpper : IVexPlainOperation
{
    public static int Size => 0;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        for (int register = 0; register < 16; register++)
            ((Vector128<ulong>*)&s->Vector[0])[(2 * register) + 1] = default;
    }
}

/// <summary>VPBLENDVB, VBLENDVPS, VBLENDVPD: the sign bits of a fourth register's elements choose.</summary>
internal readonly unsafe struct VexBlend<T, TWidth> : IVexPlainOperation
    where T : unmanaged
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Blend(byte* mask, byte* a, byte* b) => Vector128.ConditionalSelect(
        Vector128.LessThan((*(Vector128<byte>*)mask).As<byte, T>(), Vector128<T>.Zero).AsByte(),
        *(Vector128<byte>*)b, *(Vector128<byte>*)a);

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        byte* mask = (byte*)s + immediate;
        Vector128<byte> low = Blend(mask, a, b);
        ((Vector128<byte>*)d)[1] = TWidth.Bytes == 32 ? Blend(mask + 16, a + 16, b + 16) : default;
        ((Vector128<byte>*)d)[0] = low;
    }
}

/// <summary>Which bits a test looks at.</summary>
internal interface ITestedBits
{
    static abstract ulong Mask { get; }
}

/// <summary>VPTEST.</summary>
internal readonly struct AllBits : ITestedBits
{
    public static ulong Mask => ulong.MaxValue;
}

/// <summary>VTESTPS.</summary>
internal readonly struct SingleSigns : ITestedBits
{
    public static ulong Mask => 0x8000_0000_8000_0000;
}

/// <summary>VTESTPD.</summary>
internal readonly struct DoubleSigns : ITestedBits
{
    public static ulong Mask => 0x8000_0000_0000_0000;
}

/// <summary>VPTEST, VTESTPS, VTESTPD: ZF and CF tell of second AND first, and of second AND NOT first, being zero.</summary>
internal readonly unsafe struct VexTest<TBits, TWidth> : IVexPlainOperation
    where TBits : struct, ITestedBits
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong both = 0, only = 0;
        for (int i = 0; i < TWidth.Bytes / 8; i++)
        {
            both |= ((ulong*)b)[i] & ((ulong*)d)[i];
            only |= ((ulong*)b)[i] & ~((ulong*)d)[i];
        }
        LazyFlags.SetArithmetic(s, ((both & TBits.Mask) == 0 ? LazyFlags.Zf : 0) | ((only & TBits.Mask) == 0 ? LazyFlags.Cf : 0));
    }
}
