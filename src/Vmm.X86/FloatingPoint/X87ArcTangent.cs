namespace Vmm.X86.FloatingPoint;

/// <summary>FPATAN.</summary>
public static class X87ArcTangent
{
    private static readonly WideFloat s_pi = new(false, 1, new UInt128(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1));
    private static readonly WideFloat s_halfPi = new(false, 0, s_pi.Significand);

    /// <summary>atan(i / 8) for i from 1 to 8.</summary>
    private static readonly WideFloat[] s_eighths =
    [
        default,
        new(false, -4, new UInt128(0xFEAD_D4D5_617B_6E32, 0xC897_989F_3E88_8EF7)),
        new(false, -3, new UInt128(0xFADB_AFC9_6406_EB15, 0x6DC7_9EF5_F7A2_17E5)),
        new(false, -2, new UInt128(0xB7B0_CA0F_26F7_8473, 0x8AA3_2122_DCFE_4483)),
        new(false, -2, new UInt128(0xED63_382B_0DDA_7B45, 0x6FE4_45EC_BC3A_8D03)),
        new(false, -1, new UInt128(0x8F00_5D5E_F7F5_9F9B, 0x5C83_5E16_65C4_3747)),
        new(false, -1, new UInt128(0xA4BC_7D19_34F7_0924, 0x19A8_7F2A_457D_AC9E)),
        new(false, -1, new UInt128(0xB805_3E2B_C231_9E73, 0xCB2D_A552_10A4_443D)),
        new(false, -1, new UInt128(0xC90F_DAA2_2168_C234, 0xC4C6_628B_80DC_1CD1)),
    ];

    /// <summary>The angle of the point (x, y) in (-pi, pi]: x is ST0, y is ST1 (SDM Vol. 2, table "FPATAN Results").</summary>
    public static Float80 ArcTangent(Float80 x, Float80 y, ref X87Environment env)
    {
        if (NaNRules.Settle(x, y, ref env, out Float80 result))
            return result;
        if (env.StopsOnDenormal(x, y))
            return x;
        if (!x.IsNegative && !y.IsInfinity && (y.IsZero || x.IsInfinity))
            return new Float80(y.IsNegative, 0, 0);

        bool below = false;
        WideFloat angle;
        if (x.IsInfinity && y.IsInfinity)
            angle = s_eighths[8];
        else if (x.IsZero || y.IsInfinity)
            angle = y.IsZero ? default : s_halfPi;
        else if (x.IsInfinity || y.IsZero)
            angle = default;
        else
            angle = FirstQuadrant(WideFloat.From(x).Abs, WideFloat.From(y).Abs, out below);

        bool quarter = x.IsZero && !y.IsZero;
        if (x.IsNegative && !quarter && !(y.IsInfinity && !x.IsInfinity))
        {
            angle = s_pi.Add(angle.Negated);
            below = false;
        }

        return (y.IsNegative ? angle.Negated : angle).RoundInexact(ref env, below);
    }

    private static WideFloat FirstQuadrant(WideFloat x, WideFloat y, out bool below)
    {
        bool steep = y.Exponent > x.Exponent || (y.Exponent == x.Exponent && y.Significand > x.Significand);
        WideFloat ratio = steep ? x.Divide(y) : y.Divide(x);
        WideFloat angle = OfRatio(ratio, out below);
        if (!steep)
            return angle;
        below = false;
        return s_halfPi.Add(angle.Negated);
    }

    private static WideFloat OfRatio(WideFloat ratio, out bool below)
    {
        int eighths = ratio.Exponent == 0 ? 8 : ((int)(ratio.ToFraction() >> 124) + 1) >> 1;
        if (eighths == 0)
            return Series.InverseTangent(ratio, out below);
        WideFloat scale = WideFloat.FromInteger(eighths);
        WideFloat eight = WideFloat.FromInteger(8);
        WideFloat rest = eight.Multiply(ratio).Add(scale.Negated).Divide(eight.Add(scale.Multiply(ratio)));
        WideFloat correction = Series.InverseTangent(rest, out _);
        below = false;
        return s_eighths[eighths].Add(correction);
    }
}
