namespace Vmm.X86.FloatingPoint;

/// <summary>Rounding of the register format to the interchange formats of IEEE 754.</summary>
internal static class BinaryNarrowing
{
    /// <param name="a">The value.</param>
    /// <param name="precision">Significand bits, the hidden one included.</param>
    /// <param name="exponentBits">Exponent field width.</param>
    /// <param name="env">Control and flags.</param>
    public static ulong Narrow(Float80 a, int precision, int exponentBits, ref X87Environment env)
    {
        int maximum = (1 << exponentBits) - 1;
        int fractionBits = precision - 1;
        ulong sign = a.IsNegative ? 1UL << (fractionBits + exponentBits) : 0;
        if (!a.IsNormal)
        {
            if (NaNRules.Settle(a, ref env, out Float80 special))
            {
                ulong fraction = (special.Significand & ~Float80.IntegerBit) >> (64 - precision);
                sign = special.IsNegative ? 1UL << (fractionBits + exponentBits) : 0;
                return sign | ((ulong)maximum << fractionBits) | fraction;
            }

            if (a.IsZero)
                return sign;
            if (a.IsInfinity)
                return sign | ((ulong)maximum << fractionBits);
        }

        a.Normalize(out int exponent, out ulong high);
        exponent += (maximum >> 1) - Float80.Bias;
        ulong mask = (1UL << (64 - precision)) - 1;
        return sign | Finite(a.IsNegative, exponent, high, mask, maximum, precision, ref env);
    }

    private static ulong Finite(bool negative, int exponent, ulong high, ulong mask, int maximum, int precision, ref X87Environment env)
    {
        ulong rounded = high;
        bool inexact = (high & mask) != 0;
        bool up = RoundedResult.Round(ref rounded, 0, mask, negative, env.Rounding, out bool carry);
        int roundedExponent = carry ? exponent + 1 : exponent;
        int fractionBits = precision - 1;
        if (roundedExponent >= maximum)
        {
            env.Raise(X87Exceptions.Overflow);
            if (!env.IsMasked(X87Exceptions.Overflow))
                return 0;
            bool infinite = RoundedResult.AwayFromZero(negative, env.Rounding) ?? true;
            RoundedResult.Inexact(infinite, ref env);
            return ((ulong)maximum << fractionBits) - (infinite ? 0UL : 1UL);
        }

        if (exponent >= 1)
        {
            if (inexact)
                RoundedResult.Inexact(up, ref env);
            return ((ulong)roundedExponent << fractionBits) | ((rounded & ~Float80.IntegerBit) >> (64 - precision));
        }

        bool tiny = roundedExponent < 1;
        if (tiny && !env.IsMasked(X87Exceptions.Underflow))
        {
            env.Raise(X87Exceptions.Underflow);
            return 0;
        }

        ulong low = 0;
        RoundedResult.ShiftRightSticky(ref high, ref low, 1 - exponent);
        if (((high & mask) | low) != 0)
        {
            up = RoundedResult.Round(ref high, low, mask, negative, env.Rounding, out _);
            if (tiny)
                env.Raise(X87Exceptions.Underflow);
            RoundedResult.Inexact(up, ref env);
        }

        // A carry into the integer bit is the exponent field's lowest bit: the smallest normal number.
        return high >> (64 - precision);
    }
}
