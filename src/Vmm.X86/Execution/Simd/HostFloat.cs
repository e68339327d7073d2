using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

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

    /// <summary>
    /// An operation's result, by the host where that is the guest's; exceptions are merged into <paramref name="flags"/>.
    /// </summary>
    public static ulong Apply<TOperation, TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat
    {
        ulong result = TOperation.Host<TFormat>(a, b);
        return Usual(mxcsr) && TOperation.Ordinary<TFormat>(a, b, result) ? result : TOperation.Exact<TFormat>(a, b, mxcsr, ref flags);
    }
}
