namespace Vmm.X86.FloatingPoint;

/// <summary>FSCALE, FXTRACT and FRNDINT.</summary>
public static class X87Scaling
{
    /// <summary>ST0 * 2^truncate(ST1).</summary>
    public static Float80 Scale(Float80 a, Float80 b, ref X87Environment env)
    {
        if (NaNRules.Settle(a, b, ref env, out Float80 result))
            return result;
        if (b.IsInfinity && ((a.IsInfinity && b.IsNegative) || (a.IsZero && !b.IsNegative)))
            return env.Invalid();
        if (env.StopsOnDenormal(a, b))
            return a;
        if (a.IsInfinity || a.IsZero)
            return a;
        if (b.IsInfinity)
            return b.IsNegative ? new Float80(a.IsNegative, 0, 0) : new Float80(a.IsNegative, Float80.MaximumExponent, Float80.IntegerBit);
        a.Normalize(out int exponent, out ulong significand);
        return RoundedResult.PackExtended(a.IsNegative, exponent + ScaleFactor(b), significand, 0, ref env);
    }

    /// <summary>Splits a value: returns the unbiased exponent as a number and the significand with the exponent of 1.0.</summary>
    public static Float80 Extract(Float80 a, out Float80 significand, ref X87Environment env)
    {
        significand = a;
        if (NaNRules.Settle(a, ref env, out Float80 result))
        {
            significand = result;
            return result;
        }

        if (a.IsZero)
        {
            env.Raise(X87Exceptions.ZeroDivide);
            return Float80.NegativeInfinity;
        }

        if (a.IsInfinity)
            return Float80.PositiveInfinity;
        if (env.StopsOnDenormal(a))
            return a;
        a.Normalize(out int exponent, out ulong bits);
        significand = new Float80(a.IsNegative, Float80.Bias, bits);
        return X87Conversion.FromInteger(exponent - Float80.Bias);
    }

    /// <summary>Rounds to an integral value by the rounding control.</summary>
    public static Float80 RoundToIntegral(Float80 a, ref X87Environment env)
    {
        if (NaNRules.Settle(a, ref env, out Float80 result))
            return result;
        if (a.IsZero || a.Exponent >= Float80.Bias + 63)
            return a;
        if (env.StopsOnDenormal(a))
            return a;
        a.Normalize(out int exponent, out ulong high);
        ulong low = 0;
        RoundedResult.ShiftRightSticky(ref high, ref low, Float80.Bias + 63 - exponent);
        if (low == 0)
            return a;
        bool up = IntegerRounding.RoundsUp(high, low, a.IsNegative, env.Rounding);
        RoundedResult.Inexact(up, ref env);
        if (up)
            high++;
        if (high == 0)
            return new Float80(a.IsNegative, 0, 0);
        low = 0;
        int shift = RoundedResult.NormalizeLeft(ref high, ref low);
        return new Float80(a.IsNegative, Float80.Bias + 63 - shift, high);
    }

    /// <summary>The scale as an integer, cut to a range that overflows or underflows every operand.</summary>
    private static int ScaleFactor(Float80 b)
    {
        const int Limit = 0x10000;
        int unbiased = b.Exponent - Float80.Bias;
        if (unbiased < 0)
            return 0;
        int magnitude = unbiased >= 16 ? Limit : (int)(b.Significand >> (63 - unbiased));
        return b.IsNegative ? -magnitude : magnitude;
    }
}
