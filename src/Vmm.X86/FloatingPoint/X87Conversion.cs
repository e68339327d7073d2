using System.Numerics;

namespace Vmm.X86.FloatingPoint;

/// <summary>FLD, FST, FILD, FIST and FISTTP: between the register format and single, double and integer memory formats.</summary>
/// <remarks>
/// Stores tell by <see cref="X87Environment.IsStoreAbandoned"/> that an unmasked exception keeps memory and the stack as they were.
/// Source: SDM Vol. 1 4.8 and 8.5, Vol. 2 under the instructions.
/// </remarks>
public static class X87Conversion
{
    /// <summary>An integer of up to 64 bits, always exact (FILD).</summary>
    public static Float80 FromInteger(long value)
    {
        if (value == 0)
            return Float80.Zero;
        ulong magnitude = value < 0 ? 0 - (ulong)value : (ulong)value;
        int shift = BitOperations.LeadingZeroCount(magnitude);
        return new Float80(value < 0, Float80.Bias + 63 - shift, magnitude << shift);
    }

    /// <summary>
    /// The 32-bit pattern of a single-precision number (FLD m32fp). Signalling NaNs and denormals raise their exceptions; of the two only
    /// the
    /// invalid operation, unmasked, keeps the value from being pushed.
    /// </summary>
    public static Float80 FromSingle(uint bits, ref X87Environment env) => Loaded(WidenSingle(bits, out bool denormal), denormal, ref env);

    /// <summary>As <see cref="FromSingle"/> for the 64-bit pattern of a double-precision number (FLD m64fp).</summary>
    public static Float80 FromDouble(ulong bits, ref X87Environment env) => Loaded(WidenDouble(bits, out bool denormal), denormal, ref env);

    /// <summary>Rounds to single precision (FST m32fp); returns the 32-bit pattern.</summary>
    public static uint ToSingle(Float80 a, ref X87Environment env) => (uint)BinaryNarrowing.Narrow(a, 24, 8, ref env);

    /// <summary>Rounds to double precision (FST m64fp); returns the 64-bit pattern.</summary>
    public static ulong ToDouble(Float80 a, ref X87Environment env) => BinaryNarrowing.Narrow(a, 53, 11, ref env);

    /// <summary>
    /// Rounds to a signed integer of 16, 32 or 64 bits (FIST, FISTP). What does not fit is an invalid operation and gives the integer
    /// indefinite, the most negative number.
    /// </summary>
    /// <param name="a">The value.</param>
    /// <param name="width">16, 32 or 64.</param>
    /// <param name="env">Control and flags.</param>
    public static long ToInteger(Float80 a, int width, ref X87Environment env) => ToInteger(a, width, env.Rounding, ref env);

    /// <summary>As <see cref="ToInteger(Float80, int, ref X87Environment)"/>, always towards zero (FISTTP).</summary>
    public static long ToIntegerTruncated(Float80 a, int width, ref X87Environment env) =>
        ToInteger(a, width, X87Rounding.Truncate, ref env);

    private static long ToInteger(Float80 a, int width, X87Rounding rounding, ref X87Environment env)
    {
        long indefinite = long.MinValue >> (64 - width);
        ulong limit = (1UL << (width - 1)) - (a.IsNegative ? 0UL : 1UL);
        if (a.IsUnsupported || a.Exponent == Float80.MaximumExponent
            || !IntegerRounding.TryRound(a, rounding, out ulong magnitude, out bool inexact, out bool up) || magnitude > limit)
        {
            env.Raise(X87Exceptions.Invalid);
            return indefinite;
        }

        if (inexact)
            RoundedResult.Inexact(up, ref env);
        return a.IsNegative ? (long)(0 - magnitude) : (long)magnitude;
    }

    /// <summary>
    /// A single-precision arithmetic operand, exact: a signalling NaN stays one and nothing is raised. <paramref name="denormal"/> is
    /// what the
    /// arithmetic still has to raise, unless a NaN or an invalid operation comes first.
    /// </summary>
    public static Float80 WidenSingle(uint bits, out bool denormal) =>
        Widen((bits & 0x8000_0000) != 0, (int)(bits >> 23) & 0xFF, (ulong)(bits & 0x7F_FFFF) << 40, 0xFF, 127, out denormal);

    /// <summary>As <see cref="WidenSingle"/> for double precision.</summary>
    public static Float80 WidenDouble(ulong bits, out bool denormal) =>
        Widen((long)bits < 0, (int)(bits >> 52) & 0x7FF, (bits & 0xF_FFFF_FFFF_FFFF) << 11, 0x7FF, 1023, out denormal);

    private static Float80 Loaded(Float80 value, bool denormal, ref X87Environment env)
    {
        if (denormal)
            env.Raise(X87Exceptions.Denormal);
        if (!value.IsSignalingNaN)
            return value;
        env.Raise(X87Exceptions.Invalid);
        return NaNRules.Quiet(value);
    }

    private static Float80 Widen(bool negative, int exponent, ulong fraction, int maximum, int bias, out bool denormal)
    {
        denormal = false;
        if (exponent == maximum)
            return new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit | fraction);
        if (exponent != 0)
            return new Float80(negative, exponent - bias + Float80.Bias, Float80.IntegerBit | fraction);
        if (fraction == 0)
            return new Float80(negative, 0, 0);
        denormal = true;
        int shift = BitOperations.LeadingZeroCount(fraction);
        return new Float80(negative, 1 - bias + Float80.Bias - shift, fraction << shift);
    }
}
