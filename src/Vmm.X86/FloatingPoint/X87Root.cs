namespace Vmm.X86.FloatingPoint;

/// <summary>FSQRT.</summary>
public static class X87Root
{
    /// <summary>The square root, correctly rounded to the control word's precision; below -0 an invalid operation.</summary>
    public static Float80 SquareRoot(Float80 a, ref X87Environment env)
    {
        if (NaNRules.Settle(a, ref env, out Float80 result))
            return result;
        if (a.IsZero)
            return a;
        if (a.IsNegative)
            return env.Invalid();
        if (env.StopsOnDenormal(a))
            return a;
        if (a.IsInfinity)
            return a;
        a.Normalize(out int exponent, out ulong significand);
        int unbiased = exponent - Float80.Bias;
        bool odd = (unbiased & 1) != 0;
        ulong high = odd ? significand : significand >> 1;
        ulong low = odd ? 0 : significand << 63;

        ulong root = WideInteger.SquareRoot(high, low, out UInt128 remainder);
        ulong fraction = remainder == 0 ? 0 : remainder > root ? Float80.IntegerBit | 1 : 1;
        return RoundedResult.PackControlled(false, (unbiased >> 1) + Float80.Bias, root, fraction, ref env);
    }
}
