namespace Vmm.X86.FloatingPoint;

/// <summary>FYL2X and FYL2XP1.</summary>
public static class X87Logarithm
{
    private const ulong RootOf2 = 0xB504_F333_F9DE_6484;
    private static readonly WideFloat s_twiceLog2OfE = new(false, 1, new UInt128(0xB8AA_3B29_5C17_F0BB, 0xBE87_FED0_691D_3E88));

    /// <summary>y * log2(x): x is ST0, y is ST1 (SDM Vol. 2, table "FYL2X Results").</summary>
    public static Float80 YLog2X(Float80 x, Float80 y, ref X87Environment env)
    {
        if (NaNRules.Settle(x, y, ref env, out Float80 result))
            return result;
        if (x.IsNegative && !x.IsZero)
            return env.Invalid();
        bool one = x.SignExponent == 0x3FFF && x.Significand == Float80.IntegerBit;
        bool belowOne = x.Exponent < Float80.Bias;
        if ((x.IsZero || x.IsInfinity) ? y.IsZero : one && y.IsInfinity)
            return env.Invalid();
        if (x.IsZero && !y.IsInfinity)
        {
            env.Raise(X87Exceptions.ZeroDivide);
            return Infinity(!y.IsNegative);
        }

        if (env.StopsOnDenormal(x, y))
            return x;
        if (x.IsZero || x.IsInfinity || y.IsInfinity)
            return Infinity(y.IsNegative != belowOne);
        if (y.IsZero || one)
            return new Float80(y.IsNegative != belowOne, 0, 0);
        return Log2(WideFloat.From(x)).Multiply(WideFloat.From(y)).RoundInexact(ref env);
    }

    /// <summary>
    /// y * log2(x + 1), accurate for small x: x is ST0, y is ST1. At and below -1, where the manual leaves the result undefined, it is x.
    /// </summary>
    public static Float80 YLog2XPlusOne(Float80 x, Float80 y, ref X87Environment env)
    {
        if (NaNRules.Settle(x, y, ref env, out Float80 result))
            return result;
        bool negative = x.IsNegative != y.IsNegative;
        if (x.IsInfinity ? x.IsNegative || y.IsZero : x.IsZero && y.IsInfinity)
            return env.Invalid();
        if (env.StopsOnDenormal(x, y))
            return x;
        if (x.IsInfinity || y.IsInfinity)
            return Infinity(negative);
        if (x.IsZero || y.IsZero)
            return new Float80(negative, 0, 0);
        if (x.IsNegative && x.Exponent >= Float80.Bias)
        {
            env.Raise(X87Exceptions.Precision);
            return x;
        }

        WideFloat wide = WideFloat.From(x);
        WideFloat logarithm = x.Exponent < Float80.Bias - 2
            ? LogOfQuotient(wide, wide.Add(WideFloat.FromInteger(2)))
            : Log2(wide.Add(WideFloat.One));
        return logarithm.Multiply(WideFloat.From(y)).RoundInexact(ref env);
    }

    /// <summary>log2 of a positive number, to relative precision also next to 1.</summary>
    private static WideFloat Log2(WideFloat x)
    {
        int exponent = x.Exponent;
        int within = 0;
        if ((ulong)(x.Significand >> 64) > RootOf2)
        {
            exponent++;
            within = -1;
        }

        WideFloat m = new(false, within, x.Significand);
        WideFloat fraction = LogOfQuotient(m.Add(WideFloat.One.Negated), m.Add(WideFloat.One));
        return WideFloat.FromInteger(exponent).Add(fraction);
    }

    /// <summary>log2((1 + s) / (1 - s)) of s = numerator / denominator.</summary>
    private static WideFloat LogOfQuotient(WideFloat numerator, WideFloat denominator) =>
        Series.InverseHyperbolicTangent(numerator.Divide(denominator)).Multiply(s_twiceLog2OfE);

    private static Float80 Infinity(bool negative) => new(negative, Float80.MaximumExponent, Float80.IntegerBit);
}
