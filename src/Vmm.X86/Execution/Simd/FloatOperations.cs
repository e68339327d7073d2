using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

internal readonly struct FloatAdd : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Add<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b) && HostFloat.Comparable<TFormat>(result);

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Add(a, b, mxcsr, ref flags);
}

internal readonly struct FloatSubtract : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Subtract<TFormat>(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b) && HostFloat.Comparable<TFormat>(result);

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Subtract(a, b, mxcsr, ref flags);
}

internal readonly struct FloatMultiply : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => false;

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

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Multiply(a, b, mxcsr, ref flags);
}

internal readonly struct FloatDivide : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => false;

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

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Divide(a, b, mxcsr, ref flags);
}

internal readonly struct FloatSquareRoot : IFloatOperation
{
    public static bool Unary => true;

    public static bool Additive => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.Sqrt(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.SquareRoot<TFormat>(b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        (FloatFormat<TFormat>.IsNormal(b) && (b & FloatFormat<TFormat>.Sign) == 0) || FloatFormat<TFormat>.Magnitude(b) == 0;

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.SquareRoot(b, mxcsr, ref flags);
}

internal readonly struct FloatMinimum : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.ConditionalSelect(Vector128.LessThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Less<TFormat>(a, b) ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b);

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Minimum(a, b, mxcsr, ref flags);
}

internal readonly struct FloatMaximum : IFloatOperation
{
    public static bool Unary => false;

    public static bool Additive => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b) => Vector128.ConditionalSelect(Vector128.LessThan(b, a), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat => HostFloat.Less<TFormat>(b, a) ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat =>
        HostFloat.Comparable<TFormat>(a) && HostFloat.Comparable<TFormat>(b);

    public static ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat => SoftFloat<TFormat>.Maximum(a, b, mxcsr, ref flags);
}
