namespace Vmm.X86.FloatingPoint;

/// <summary>F2XM1.</summary>
public static class X87Exponential
{
    private static readonly WideFloat s_naturalLogOf2 = new(false, -1, new UInt128(0xB172_17F7_D1CF_79AB, 0xC9E3_B398_03F2_F6AF));

    /// <summary>
    /// 2^a - 1 for a in [-1, 1]. Outside, where the manual leaves the result undefined, the operand comes back unchanged and inexact.
    /// </summary>
    public static Float80 TwoToPowerMinusOne(Float80 a, ref X87Environment env)
    {
        if (NaNRules.Settle(a, ref env, out Float80 result))
            return result;
        if (a.IsZero)
            return a;
        if (a.IsInfinity)
            return a.IsNegative ? Float80.One.Negate() : a;
        if (env.StopsOnDenormal(a))
            return a;
        if (a.Exponent >= Float80.Bias)
        {
            env.Raise(X87Exceptions.Precision);
            bool minusOne = a.SignExponent == 0xBFFF && a.Significand == Float80.IntegerBit;
            return minusOne ? new Float80(Float80.IntegerBit, 0xBFFE) : a;
        }

        WideFloat y = WideFloat.From(a).Multiply(s_naturalLogOf2);
        return Series.ExponentialMinusOne(y).RoundInexact(ref env);
    }
}
