using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>An arithmetic operation on one element. The first operand is the destination's; unary operations take the second.</summary>
internal interface IFloatOperation
{
    /// <summary>The result; exceptions are merged into <paramref name="flags"/>.</summary>
    static abstract ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer.</summary>
    static abstract ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer is the guest's when <see cref="HostFloat.Usual"/>.</summary>
    static abstract bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer for a whole register of floats of type <typeparamref name="T"/>.</summary>
    static abstract Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b);

    /// <summary>The first operand plays no part.</summary>
    static abstract bool Unary { get; }

    /// <summary>A zero result is always exact.</summary>
    static abstract bool Additive { get; }
}

/// <summary>
/// The host's own arithmetic for the ordinary case: all exceptions masked, rounding to nearest, inexactness already recorded, operands and
/// result normal or exactly zero. Then no other flag can arise, and flush-to-zero and denormals-are-zeros have nothing to act on.
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
        (uint)((int)(x >> TFormat.FractionBits) & FloatFormat<TFormat>.LargestExponent) - 2
        < (uint)FloatFormat<TFormat>.LargestExponent - 2;

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

    /// <summary>Normal or zero: a comparison can raise nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Comparable<TFormat>(ulong x)
        where TFormat : struct, IFloatFormat => FloatFormat<TFormat>.IsNormal(x) || FloatFormat<TFormat>.Magnitude(x) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less<TFormat>(ulong a, ulong b) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.UInt64BitsToDouble(a) < BitConverter.UInt64BitsToDouble(b)
        : BitConverter.UInt32BitsToSingle((uint)a) < BitConverter.UInt32BitsToSingle((uint)b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SquareRoot<TFormat>(ulong a) => typeof(TFormat) == typeof(Binary64)
        ? BitConverter.DoubleToUInt64Bits(Math.Sqrt(BitConverter.UInt64BitsToDouble(a)))
        : BitConverter.SingleToUInt32Bits(MathF.Sqrt(BitConverter.UInt32BitsToSingle((uint)a)));
}

internal readonly struct FloatAdd : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Add<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b) && HostFloat.Comparable<TFormat>(result);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Add(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatSubtract : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Subtract<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b) && HostFloat.Comparable<TFormat>(result);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Subtract(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatMultiply : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Multiply<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b)
        && (HostFloat.Comfortable<TFormat>(result) || FloatFormat<TFormat>.Magnitude(a) == 0 || FloatFormat<TFormat>.Magnitude(b) == 0);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Multiply(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatDivide : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Divide<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && FloatFormat<TFormat>.IsNormal(b)
        && (HostFloat.Comfortable<TFormat>(result) || FloatFormat<TFormat>.Magnitude(a) == 0);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Divide(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatSquareRoot : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.Sqrt(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.SquareRoot<TFormat>(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        (FloatFormat<TFormat>.IsNormal(b) && (b & FloatFormat<TFormat>.Sign) == 0) || FloatFormat<TFormat>.Magnitude(b) == 0;

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.SquareRoot(b, mxcsr, ref flags);
    }
}

internal readonly struct FloatMinimum : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.ConditionalSelect(Vector128.LessThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Less<TFormat>(a, b) ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Minimum(a, b, mxcsr, ref flags);
    }
}

internal readonly struct FloatMaximum : IFloatOperation
{
    public static bool Unary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool Additive
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.ConditionalSelect(Vector128.LessThan(b, a), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Less<TFormat>(b, a) ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b);

    public static ulong Apply<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        ulong result = Host<TFormat>(a, b);
        return HostFloat.Usual(mxcsr) && Ordinary<TFormat>(a, b, result) ? result : SoftFloat<TFormat>.Maximum(a, b, mxcsr, ref flags);
    }
}
