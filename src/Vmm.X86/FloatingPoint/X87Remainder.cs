namespace Vmm.X86.FloatingPoint;

/// <summary>FPREM and FPREM1: exact remainders, by at most 63 quotient bits per execution (SDM Vol. 2, FPREM and FPREM1).</summary>
public static class X87Remainder
{
    /// <summary>
    /// ST0 - ST1 * truncate(ST0 / ST1). C2 says that the reduction is incomplete; when it is complete C0, C3, C1 hold quotient bits 2, 1,
    /// 0.
    /// </summary>
    public static Float80 Truncating(Float80 dividend, Float80 divisor, ref X87Environment env) =>
        Reduce(dividend, divisor, false, ref env);

    /// <summary>The IEEE remainder: as <see cref="Truncating"/> with the quotient rounded to nearest even.</summary>
    public static Float80 Nearest(Float80 dividend, Float80 divisor, ref X87Environment env) =>
        Reduce(dividend, divisor, true, ref env);

    private static Float80 Reduce(Float80 dividend, Float80 divisor, bool nearest, ref X87Environment env)
    {
        env.SetCondition2(false);
        if (NaNRules.Settle(dividend, divisor, ref env, out Float80 result))
            return result;
        if (dividend.IsInfinity || divisor.IsZero)
            return env.Invalid();
        if (env.StopsOnDenormal(dividend, divisor))
            return dividend;
        SetQuotient(0, ref env);
        if (dividend.IsZero)
            return dividend;
        bool negative = dividend.IsNegative;
        dividend.Normalize(out int exponent, out ulong significand);
        if (divisor.IsInfinity)
            return RoundedResult.PackExtended(negative, exponent, significand, 0, ref env);
        divisor.Normalize(out int divisorExponent, out ulong divisorSignificand);

        int distance = exponent - divisorExponent;
        if (distance < (nearest ? -1 : 0))
            return RoundedResult.PackExtended(negative, exponent, significand, 0, ref env);
        if (distance < 0)
            return HalfStep(negative, exponent, significand, divisorSignificand, ref env);

        bool complete = distance < 64;
        int bits = complete ? distance : (distance & 31) | 32;
        ulong quotient;
        ulong rest;
        if (bits != 0)
        {
            quotient = WideInteger.Divide(significand >> (64 - bits), significand << bits, divisorSignificand, out rest);
        }
        else
        {
            quotient = significand >= divisorSignificand ? 1UL : 0;
            rest = quotient != 0 ? significand - divisorSignificand : significand;
        }

        int resultExponent = exponent - bits;
        if (complete)
        {
            ulong other = divisorSignificand - rest;
            if (nearest && (rest > other || (rest == other && (quotient & 1) != 0)))
            {
                rest = other;
                quotient++;
                negative = !negative;
            }

            SetQuotient(quotient, ref env);
        }
        else
        {
            env.SetConditions(X87Environment.Condition2);
        }

        return Finish(dividend.IsNegative, negative, resultExponent, rest, ref env);
    }

    /// <summary>FPREM1 of a dividend whose exponent is one below the divisor's: the quotient is 0 or 1.</summary>
    private static Float80 HalfStep(bool negative, int exponent, ulong significand, ulong divisorSignificand, ref X87Environment env)
    {
        if (significand <= divisorSignificand)
            return RoundedResult.PackExtended(negative, exponent, significand, 0, ref env);
        SetQuotient(1, ref env);
        UInt128 rest = ((UInt128)divisorSignificand << 1) - significand;
        return Finish(negative, !negative, exponent, (ulong)rest, ref env);
    }

    private static Float80 Finish(bool dividendNegative, bool negative, int exponent, ulong rest, ref X87Environment env)
    {
        if (rest == 0)
            return new Float80(dividendNegative, 0, 0);
        ulong low = 0;
        exponent -= RoundedResult.NormalizeLeft(ref rest, ref low);
        return RoundedResult.PackExtended(negative, exponent, rest, 0, ref env);
    }

    private static void SetQuotient(ulong quotient, ref X87Environment env)
    {
        ushort conditions = 0;
        if ((quotient & 1) != 0)
            conditions |= X87Environment.Condition1;
        if ((quotient & 2) != 0)
            conditions |= X87Environment.Condition3;
        if ((quotient & 4) != 0)
            conditions |= X87Environment.Condition0;
        env.SetConditions(conditions);
    }
}
