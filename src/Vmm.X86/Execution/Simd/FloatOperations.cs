using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>An arithmetic operation on one element. The first operand is the destination's; unary operations take the second.</summary>
internal interface IFloatOperation
{
    /// <summary>The result; exceptions are merged into <paramref name="flags"/>.</summary>
    static abstract ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat;
}

/// <summary>
/// The host's own arithmetic for the ordinary case: all exceptions masked, rounding to nearest, inexactness already recorded, operands and
/// result normal. Then no other flag can arise, and flush-to-zero and denormals-are-zeros have nothing to act on.
/// </summary>
internal static class HostFloat
{
    private const uint Relevant = MxcsrBits.Masks | MxcsrBits.Rounding | MxcsrBits.Precision;

    /// <summary>MXCSR allows the host's arithmetic.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Usual(uint mxcsr) => (mxcsr & Relevant) == (MxcsrBits.Masks | MxcsrBits.Precision);

    /// <summary>Normal and not the smallest such number, below which tininess after rounding would have to be looked at.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Comfortable<TFormat>(ulong x)
        where TFormat : struct, IFloatFormat =>
        (uint)((int)(x >> TFormat.FractionBits) & FloatFormat<TFormat>.LargestExponent) - 2 < (uint)FloatFormat<TFormat>.LargestExponent - 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add<TFormat>(ulong a, ulong b) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) + BitConverter.UInt64BitsToDouble(b))
        : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle((uint)a) + BitConverter.UInt32BitsToSingle((uint)b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Subtract<TFormat>(ulong a, ulong b) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) - BitConverter.UInt64BitsToDouble(b))
        : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle((uint)a) - BitConverter.UInt32BitsToSingle((uint)b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Multiply<TFormat>(ulong a, ulong b) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) * BitConverter.UInt64BitsToDouble(b))
        : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle((uint)a) * BitConverter.UInt32BitsToSingle((uint)b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Divide<TFormat>(ulong a, ulong b) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(BitConverter.UInt64BitsToDouble(a) / BitConverter.UInt64BitsToDouble(b))
        : BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle((uint)a) / BitConverter.UInt32BitsToSingle((uint)b));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SquareRoot<TFormat>(ulong a) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(Math.Sqrt(BitConverter.UInt64BitsToDouble(a)))
        : BitConverter.SingleToUInt32Bits(MathF.Sqrt(BitConverter.UInt32BitsToSingle((uint)a)));
}

internal readonly struct FloatAdd : IFloatOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (HostFloat.Usual(mxcsr) && FloatFormat<TFormat>.IsNormal(a) && FloatFormat<TFormat>.IsNormal(b))
        {
            ulong result = HostFloat.Add<TFormat>(a, b);
            if (FloatFormat<TFormat>.IsNormal(result))
                return result;
        }
        return SoftFloat<TFormat>.Add(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatSubtract : IFloatOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (HostFloat.Usual(mxcsr) && FloatFormat<TFormat>.IsNormal(a) && FloatFormat<TFormat>.IsNormal(b))
        {
            ulong result = HostFloat.Subtract<TFormat>(a, b);
            if (FloatFormat<TFormat>.IsNormal(result))
                return result;
        }
        return SoftFloat<TFormat>.Subtract(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatMultiply : IFloatOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (HostFloat.Usual(mxcsr) && FloatFormat<TFormat>.IsNormal(a) && FloatFormat<TFormat>.IsNormal(b))
        {
            ulong result = HostFloat.Multiply<TFormat>(a, b);
            if (HostFloat.Comfortable<TFormat>(result))
                return result;
        }
        return SoftFloat<TFormat>.Multiply(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatDivide : IFloatOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (HostFloat.Usual(mxcsr) && FloatFormat<TFormat>.IsNormal(a) && FloatFormat<TFormat>.IsNormal(b))
        {
            ulong result = HostFloat.Divide<TFormat>(a, b);
            if (HostFloat.Comfortable<TFormat>(result))
                return result;
        }
        return SoftFloat<TFormat>.Divide(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatSquareRoot : IFloatOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (HostFloat.Usual(mxcsr) && FloatFormat<TFormat>.IsNormal(b) && (b & FloatFormat<TFormat>.Sign) == 0)
            return HostFloat.SquareRoot<TFormat>(b); // always normal
        return SoftFloat<TFormat>.SquareRoot(b, mxcsr, ref flags);
    }
}

internal readonly struct FloatMinimum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Minimum(a, b, mxcsr, ref flags);
}

internal readonly struct FloatMaximum : IFloatOperation
{
    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Maximum(a, b, mxcsr, ref flags);
}
