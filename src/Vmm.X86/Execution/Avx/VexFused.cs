using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>Which operands of a fused instruction are multiplied: 1 the destination, 2 the first source, 3 the second.</summary>
internal interface IFusedOrder
{
    static abstract int Order { get; }
}

/// <summary>Destination times second source, plus first source.</summary>
internal readonly struct Order132 : IFusedOrder
{
    public static int Order => 132;
}

/// <summary>First source times destination, plus second source.</summary>
internal readonly struct Order213 : IFusedOrder
{
    public static int Order => 213;
}

/// <summary>First source times second source, plus destination.</summary>
internal readonly struct Order231 : IFusedOrder
{
    public static int Order => 231;
}

/// <summary>Signs of a fused instruction.</summary>
internal interface IFusedSigns
{
    /// <summary>The product is negated.</summary>
    static abstract bool NegateProduct { get; }

    /// <summary>The addend is negated in even elements.</summary>
    static abstract bool NegateEven { get; }

    /// <summary>The addend is negated in odd elements.</summary>
    static abstract bool NegateOdd { get; }
}

internal readonly struct MultiplyAdd : IFusedSigns
{
    public static bool NegateProduct => false;

    public static bool NegateEven => false;

    public static bool NegateOdd => false;
}

internal readonly struct MultiplySubtract : IFusedSigns
{
    public static bool NegateProduct => false;

    public static bool NegateEven => true;

    public static bool NegateOdd => true;
}

internal readonly struct NegatedMultiplyAdd : IFusedSigns
{
    public static bool NegateProduct => true;

    public static bool NegateEven => false;

    public static bool NegateOdd => false;
}

internal readonly struct NegatedMultiplySubtract : IFusedSigns
{
    public static bool NegateProduct => true;

    public static bool NegateEven => true;

    public static bool NegateOdd => true;
}

internal readonly struct MultiplyAddSubtract : IFusedSigns
{
    public static bool NegateProduct => false;

    public static bool NegateEven => true;

    public static bool NegateOdd => false;
}

internal readonly struct MultiplySubtractAdd : IFusedSigns
{
    public static bool NegateProduct => false;

    public static bool NegateEven => false;

    public static bool NegateOdd => true;
}

/// <summary>Packed fused multiplication and addition.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexFused<TOrder, TSigns, TFormat, TWidth> : IVexOperation
    where TOrder : struct, IFusedOrder
    where TSigns : struct, IFusedSigns
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        byte* x = TOrder.Order == 132 ? d : a, y = TOrder.Order == 213 ? d : b, z = TOrder.Order switch { 132 => a, 213 => b, _ => d };
        Vector128<byte> low, high = default;
        if (FloatFormat<TFormat>.Size == 8)
        {
            const ulong sign = 1UL << 63;
            Vector128<ulong> product = Vector128.Create(TSigns.NegateProduct ? sign : 0);
            Vector128<ulong> addend = Vector128.Create(TSigns.NegateEven ? sign : 0, TSigns.NegateOdd ? sign : 0);
            if (!Doubles(x, y, z, product, addend, out low)
                || (TWidth.Bytes == 32 && !Doubles(x + 16, y + 16, z + 16, product, addend, out high)))
                return false;
        }
        else
        {
            const uint sign = 1U << 31;
            Vector128<uint> product = Vector128.Create(TSigns.NegateProduct ? sign : 0);
            uint even = TSigns.NegateEven ? sign : 0, odd = TSigns.NegateOdd ? sign : 0;
            Vector128<uint> addend = Vector128.Create(even, odd, even, odd);
            if (!Singles(x, y, z, product, addend, out low)
                || (TWidth.Bytes == 32 && !Singles(x + 16, y + 16, z + 16, product, addend, out high)))
                return false;
        }
        ((Vector128<byte>*)d)[0] = low;
        ((Vector128<byte>*)d)[1] = high;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Doubles(byte* x, byte* y, byte* z, Vector128<ulong> product, Vector128<ulong> addend, out Vector128<byte> result)
    {
        Vector128<ulong> u = *(Vector128<ulong>*)x, v = *(Vector128<ulong>*)y, w = *(Vector128<ulong>*)z;
        Vector128<ulong> sum = Vector128.FusedMultiplyAdd((u ^ product).AsDouble(), v.AsDouble(), (w ^ addend).AsDouble()).AsUInt64();
        result = sum.AsByte();
        return Ordinary(u, v, w, sum.AsInt64(), FloatFormat<Binary64>.Hidden, FloatFormat<Binary64>.Infinity, 1L << 52, 0x7FFL << 52);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Singles(byte* x, byte* y, byte* z, Vector128<uint> product, Vector128<uint> addend, out Vector128<byte> result)
    {
        Vector128<uint> u = *(Vector128<uint>*)x, v = *(Vector128<uint>*)y, w = *(Vector128<uint>*)z;
        Vector128<uint> sum = Vector128.FusedMultiplyAdd((u ^ product).AsSingle(), v.AsSingle(), (w ^ addend).AsSingle()).AsUInt32();
        result = sum.AsByte();
        return Ordinary(u, v, w, sum.AsInt32(), (uint)FloatFormat<Binary32>.Hidden, (uint)FloatFormat<Binary32>.Infinity,
            1 << 23, 0xFF << 23);
    }

    // Operands normal or zero, the result normal and not the smallest such number.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Ordinary<T, TSigned>(Vector128<T> u, Vector128<T> v, Vector128<T> w, Vector128<TSigned> sum, T hidden, T infinity,
        TSigned smallest, TSigned largest)
    {
        Vector128<T> one = Vector128.Create(hidden), within = Vector128.Create(infinity) & ~one;
        Vector128<T> odd = Odd(u, one, within) | Odd(v, one, within) | Odd(w, one, within);
        Vector128<TSigned> limit = Vector128.Create(largest), scale = sum & limit;
        return odd == Vector128<T>.Zero && Vector128.GreaterThanAll(scale, Vector128.Create(smallest))
            && Vector128.LessThanAll(scale, limit);
    }

    // Neither normal nor zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Odd<T>(Vector128<T> x, Vector128<T> one, Vector128<T> within) =>
        Vector128.AndNot(Vector128.Equals((x + one) & within, Vector128<T>.Zero), Vector128.Equals(x + x, Vector128<T>.Zero));

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        byte* x = TOrder.Order == 132 ? d : a, y = TOrder.Order == 213 ? d : b, z = TOrder.Order switch { 132 => a, 213 => b, _ => d };
        Vector256<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
        {
            bool negate = (lane & 1) == 0 ? TSigns.NegateEven : TSigns.NegateOdd;
            VexLanes.Set<TFormat>(&result, lane, SoftFloat<TFormat>.MultiplyAdd(VexLanes.Get<TFormat>(x, lane),
                VexLanes.Get<TFormat>(y, lane), VexLanes.Get<TFormat>(z, lane), TSigns.NegateProduct, negate, mxcsr, ref flags));
        }
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>Scalar fused multiplication and addition: what is above the element stays the destination's.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexFusedScalar<TOrder, TSigns, TFormat> : IVexOperation
    where TOrder : struct, IFusedOrder
    where TSigns : struct, IFusedSigns
    where TFormat : struct, IFloatFormat
{
    public static int Size => FloatFormat<TFormat>.Size;

    [MethodImpl(Dispatch.Separate)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong x = VexLanes.Get<TFormat>(TOrder.Order == 132 ? d : a, 0), y = VexLanes.Get<TFormat>(TOrder.Order == 213 ? d : b, 0);
        ulong z = VexLanes.Get<TFormat>(TOrder.Order switch { 132 => a, 213 => b, _ => d }, 0);
        if (!HostFloat.Usual(s->Mxcsr) || !HostFloat.Comparable<TFormat>(x) || !HostFloat.Comparable<TFormat>(y)
            || !HostFloat.Comparable<TFormat>(z))
            return false;
        ulong u = TSigns.NegateProduct ? x ^ FloatFormat<TFormat>.Sign : x, w = TSigns.NegateEven ? z ^ FloatFormat<TFormat>.Sign : z;
        ulong result = FloatFormat<TFormat>.Size == 8
            ? BitConverter.DoubleToUInt64Bits(Math.FusedMultiplyAdd(BitConverter.UInt64BitsToDouble(u), BitConverter.UInt64BitsToDouble(y),
                BitConverter.UInt64BitsToDouble(w)))
            : BitConverter.SingleToUInt32Bits(MathF.FusedMultiplyAdd(BitConverter.UInt32BitsToSingle((uint)u),
                BitConverter.UInt32BitsToSingle((uint)y), BitConverter.UInt32BitsToSingle((uint)w)));
        if (!HostFloat.Comfortable<TFormat>(result))
            return false;
        VexLanes.Merge<TFormat>(d, d, result);
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong x = VexLanes.Get<TFormat>(TOrder.Order == 132 ? d : a, 0), y = VexLanes.Get<TFormat>(TOrder.Order == 213 ? d : b, 0);
        ulong z = VexLanes.Get<TFormat>(TOrder.Order switch { 132 => a, 213 => b, _ => d }, 0);
        uint flags = 0;
        ulong result = SoftFloat<TFormat>.MultiplyAdd(x, y, z, TSigns.NegateProduct, TSigns.NegateEven, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        VexLanes.Merge<TFormat>(d, d, result);
        return true;
    }
}
