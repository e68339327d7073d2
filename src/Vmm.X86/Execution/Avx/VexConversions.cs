using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>A conversion of one element.</summary>
internal interface IVexConversion
{
    /// <summary>Bytes of an element before.</summary>
    static abstract int Source { get; }

    /// <summary>Bytes of an element after.</summary>
    static abstract int Target { get; }

    /// <summary>The conversion; the source is zero-extended.</summary>
    static abstract ulong Convert(ulong x, uint mxcsr, ref uint flags);
}

/// <summary>Between formats.</summary>
internal readonly struct ConvertFormat<TSource, TTarget> : IVexConversion
    where TSource : struct, IFloatFormat
    where TTarget : struct, IFloatFormat
{
    public static int Source => FloatFormat<TSource>.Size;

    public static int Target => FloatFormat<TTarget>.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Convert(ulong x, uint mxcsr, ref uint flags)
    {
        if (typeof(TSource) == typeof(Binary32) && typeof(TTarget) == typeof(Binary64) && FloatFormat<Binary32>.IsNormal(x))
            return BitConverter.DoubleToUInt64Bits(BitConverter.UInt32BitsToSingle((uint)x));
        if (typeof(TSource) == typeof(Binary64) && typeof(TTarget) == typeof(Binary32) && HostFloat.Usual(mxcsr)
            && FloatFormat<Binary64>.IsNormal(x))
        {
            uint result = BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(x));
            if (HostFloat.Comfortable<Binary32>(result))
                return result;
        }
        return SoftFloat<TSource>.Convert<TTarget>(x, mxcsr, ref flags);
    }
}

/// <summary>VCVTPH2PS: half precision is always exact in single, and MXCSR.DAZ does not bind it (SDM Vol. 2C).</summary>
internal readonly struct ConvertHalf : IVexConversion
{
    public static int Source => 2;

    public static int Target => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Convert(ulong x, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<Binary16>.IsNormal(x))
            return ((x & 0x8000) << 16) | (((x & 0x7FFF) << 13) + ((127UL - 15) << 23));
        uint raised = 0;
        ulong result = SoftFloat<Binary16>.Convert<Binary32>(x, MxcsrBits.Reset, ref raised);
        flags |= raised & MxcsrBits.InvalidOperation;
        return result;
    }
}

/// <summary>From 32-bit integers.</summary>
internal readonly struct ConvertInteger<TTarget> : IVexConversion
    where TTarget : struct, IFloatFormat
{
    public static int Source => 4;

    public static int Target => FloatFormat<TTarget>.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Convert(ulong x, uint mxcsr, ref uint flags) =>
        FloatConversions.FromInteger<TTarget>((int)x, mxcsr, ref flags);
}

/// <summary>To 32-bit integers.</summary>
internal readonly struct ConvertToInteger<TSource> : IVexConversion
    where TSource : struct, IFloatFormat
{
    public static int Source => FloatFormat<TSource>.Size;

    public static int Target => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Convert(ulong x, uint mxcsr, ref uint flags)
    {
        // The host rounds to nearest where the exponent keeps the result below 2^31.
        if ((mxcsr & MxcsrBits.Rounding) != MxcsrBits.RoundNearest || !FloatFormat<TSource>.IsNormal(x)
            || FloatFormat<TSource>.Magnitude(x) >= (ulong)(FloatFormat<TSource>.Bias + 30) << TSource.FractionBits)
            return (uint)SoftFloat<TSource>.ToInteger(x, 32, mxcsr, ref flags);
        double value = FloatFormat<TSource>.Size == 8 ? BitConverter.UInt64BitsToDouble(x) : BitConverter.UInt32BitsToSingle((uint)x);
        double rounded = Math.Round(value);
        if (rounded != value)
            flags |= MxcsrBits.Precision;
        return (uint)(int)rounded;
    }
}

/// <summary>The same, toward zero.</summary>
internal readonly struct TruncateToInteger<TSource> : IVexConversion
    where TSource : struct, IFloatFormat
{
    public static int Source => FloatFormat<TSource>.Size;

    public static int Target => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Convert(ulong x, uint mxcsr, ref uint flags) => (uint)FloatConversions.Truncate<TSource>(x, 32, mxcsr, ref flags);
}

/// <summary>A packed conversion: as many elements as the wider side holds.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexConvert<TConversion, TWidth> : IVexOperation
    where TConversion : struct, IVexConversion
    where TWidth : struct, IVexWidth
{
    private static int Count => TWidth.Bytes / Math.Max(TConversion.Source, TConversion.Target);

    public static int Size => Count * TConversion.Source;

    /// <summary>The three that compilers' loops are full of, on the host's unit.</summary>
    [MethodImpl(Dispatch.Separate)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        if (typeof(TConversion) == typeof(ConvertFormat<Binary32, Binary64>))
        {
            Vector128<uint> x = TWidth.Bytes == 32 ? *(Vector128<uint>*)b : Vector128.CreateScalar(*(ulong*)b).AsUInt32();
            // Normal or zero: (exponent + 1) & 0xFE is neither for 0 nor for 255.
            Vector128<uint> odd = Vector128.Equals((x + Vector128.Create(0x80_0000U)) & Vector128.Create(0x7F00_0000U), default);
            if (Vector128.AndNot(odd, Vector128.Equals(x + x, default)) != default)
                return false;
            ((Vector128<double>*)d)[0] = Vector128.WidenLower(x.AsSingle());
            ((Vector128<double>*)d)[1] = TWidth.Bytes == 32 ? Vector128.WidenUpper(x.AsSingle()) : default;
            return true;
        }
        // The others' sources may be shorter than what is read from here on.
        if ((typeof(TConversion) != typeof(ConvertInteger<Binary32>) && typeof(TConversion) != typeof(TruncateToInteger<Binary32>))
            || !HostFloat.Usual(s->Mxcsr))
            return false;
        Vector128<int> low = *(Vector128<int>*)b, high = TWidth.Bytes == 32 ? ((Vector128<int>*)b)[1] : default;
        if (typeof(TConversion) == typeof(ConvertInteger<Binary32>))
        {
            ((Vector128<float>*)d)[0] = Vector128.ConvertToSingle(low);
            ((Vector128<float>*)d)[1] = Vector128.ConvertToSingle(high);
            return true;
        }
        // Below 2^31 only inexactness could have to be recorded, and it is already.
        Vector128<int> magnitude = Vector128.Create(int.MaxValue), limit = Vector128.Create(0x4F00_0000);
        if (!Vector128.LessThanAll(low & magnitude, limit) || !Vector128.LessThanAll(high & magnitude, limit))
            return false;
        ((Vector128<int>*)d)[0] = Vector128.ConvertToInt32(low.AsSingle());
        ((Vector128<int>*)d)[1] = Vector128.ConvertToInt32(high.AsSingle());
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < Count; lane++)
        {
            ulong x = TConversion.Source switch
            {
                8 => ((ulong*)b)[lane],
                4 => ((uint*)b)[lane],
                _ => ((ushort*)b)[lane],
            };
            ulong y = TConversion.Convert(x, mxcsr, ref flags);
            if (TConversion.Target == 8)
                ((ulong*)&result)[lane] = y;
            else
                ((uint*)&result)[lane] = (uint)y;
        }
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>VCVTSS2SD, VCVTSD2SS.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexConvertScalar<TSource, TTarget> : IVexOperation
    where TSource : struct, IFloatFormat
    where TTarget : struct, IFloatFormat
{
    public static int Size => FloatFormat<TSource>.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) => false;

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        uint flags = 0;
        ulong result = ConvertFormat<TSource, TTarget>.Convert(VexLanes.Get<TSource>(b, 0), s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        VexLanes.Merge<TTarget>(d, a, result);
        return true;
    }
}

/// <summary>VCVTSI2SS, VCVTSI2SD from an integer of type <typeparamref name="T"/>.</summary>
// SAFETY: as IVexOperation says.
internal readonly unsafe struct VexFromInteger<T, TFormat> : IVexOperation
    where T : unmanaged
    where TFormat : struct, IFloatFormat
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        long value = sizeof(T) == 4 ? *(int*)b : *(long*)b;
        VexLanes.Merge<TFormat>(d, a, FloatFormat<TFormat>.Size == 8
            ? BitConverter.DoubleToUInt64Bits(value)
            : BitConverter.SingleToUInt32Bits(value));
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        uint flags = 0;
        ulong result = FloatConversions.FromInteger<TFormat>(sizeof(T) == 4 ? *(int*)b : *(long*)b, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        VexLanes.Merge<TFormat>(d, a, result);
        return true;
    }
}
