using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>The 32 predicates of VCMPPS and its kin (SDM Vol. 2A table 3-1).</summary>
internal static class VexPredicate
{
    private const int Equal = 1, Less = 2, Greater = 4, Unordered = 8;

    private static ReadOnlySpan<byte> Relations =>
    [
        Equal, Less, Less | Equal, Unordered, Less | Greater | Unordered, Equal | Greater | Unordered, Greater | Unordered,
        Equal | Less | Greater, Equal | Unordered, Less | Unordered, Less | Equal | Unordered, 0, Less | Greater, Equal | Greater, Greater,
        Equal | Less | Greater | Unordered,
    ];

    /// <summary>The relations for which a predicate holds, one bit for each in the order of <see cref="FloatRelation"/>.</summary>
    public static int Holding(ulong predicate) => Relations[(int)predicate & 15];

    /// <summary>Quiet NaNs are invalid too.</summary>
    public static bool Signalling(ulong predicate) => ((predicate & 3) is 1 or 2) != ((predicate & 16) != 0);

    /// <summary>All ones or zero.</summary>
    public static ulong Test<TFormat>(ulong a, ulong b, ulong predicate, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        FloatRelation relation = SoftFloat<TFormat>.Compare(a, b, Signalling(predicate), mxcsr, ref flags);
        return ((Holding(predicate) >> (int)relation) & 1) != 0 ? ulong.MaxValue : 0;
    }
}

/// <summary>VCMPPS, VCMPPD.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexCompare<TFormat, TWidth> : IVexOperation
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    /// <summary>The host compares normal numbers and zeros, about which there is nothing to report.</summary>
    [MethodImpl(Dispatch.Separate)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        int relations = VexPredicate.Holding(immediate);
        Vector128<byte> low, high = default;
        if (FloatFormat<TFormat>.Size == 8)
        {
            if (!Comparable<ulong>(a, b, FloatFormat<Binary64>.Hidden, FloatFormat<Binary64>.Infinity))
                return false;
            low = Compare<double>(a, b, relations);
            if (TWidth.Bytes == 32)
                high = Compare<double>(a + 16, b + 16, relations);
        }
        else
        {
            if (!Comparable<uint>(a, b, (uint)FloatFormat<Binary32>.Hidden, (uint)FloatFormat<Binary32>.Infinity))
                return false;
            low = Compare<float>(a, b, relations);
            if (TWidth.Bytes == 32)
                high = Compare<float>(a + 16, b + 16, relations);
        }
        ((Vector128<byte>*)d)[0] = low;
        ((Vector128<byte>*)d)[1] = high;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Comparable<T>(byte* a, byte* b, T hidden, T infinity)
        where T : unmanaged
    {
        Vector128<T> one = Vector128.Create(hidden), within = Vector128.Create(infinity) & ~one, odd = Vector128<T>.Zero;
        for (int half = 0; half < TWidth.Bytes / 16; half++)
        {
            Vector128<T> x = ((Vector128<T>*)a)[half], y = ((Vector128<T>*)b)[half];
            odd |= Vector128.AndNot(Vector128.Equals((x + one) & within, Vector128<T>.Zero), Vector128.Equals(x + x, Vector128<T>.Zero));
            odd |= Vector128.AndNot(Vector128.Equals((y + one) & within, Vector128<T>.Zero), Vector128.Equals(y + y, Vector128<T>.Zero));
        }
        return odd == Vector128<T>.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Compare<T>(byte* a, byte* b, int relations)
        where T : unmanaged
    {
        Vector128<T> x = *(Vector128<T>*)a, y = *(Vector128<T>*)b;
        Vector128<byte> result = default;
        if ((relations & 1) != 0)
            result |= Vector128.Equals(x, y).AsByte();
        if ((relations & 2) != 0)
            result |= Vector128.LessThan(x, y).AsByte();
        if ((relations & 4) != 0)
            result |= Vector128.GreaterThan(x, y).AsByte();
        return result;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
            VexLanes.Set<TFormat>(&result, lane,
                VexPredicate.Test<TFormat>(VexLanes.Get<TFormat>(a, lane), VexLanes.Get<TFormat>(b, lane), immediate, mxcsr, ref flags));
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>VCMPSS, VCMPSD.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexCompareScalar<TFormat> : IVexOperation
    where TFormat : struct, IFloatFormat
{
    public static int Size => FloatFormat<TFormat>.Size;

    [MethodImpl(Dispatch.Separate)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong x = VexLanes.Get<TFormat>(a, 0), y = VexLanes.Get<TFormat>(b, 0);
        if (!HostFloat.Comparable<TFormat>(x) || !HostFloat.Comparable<TFormat>(y))
            return false;
        FloatRelation relation = HostFloat.Less<TFormat>(x, y) ? FloatRelation.Less
            : HostFloat.Less<TFormat>(y, x) ? FloatRelation.Greater : FloatRelation.Equal;
        VexLanes.Merge<TFormat>(d, a, 0 - (ulong)((VexPredicate.Holding(immediate) >> (int)relation) & 1));
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        uint flags = 0;
        ulong result = VexPredicate.Test<TFormat>(VexLanes.Get<TFormat>(a, 0), VexLanes.Get<TFormat>(b, 0), immediate, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        VexLanes.Merge<TFormat>(d, a, result);
        return true;
    }
}
