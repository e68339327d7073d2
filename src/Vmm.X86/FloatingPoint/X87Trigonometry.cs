namespace Vmm.X86.FloatingPoint;

/// <summary>FSIN, FCOS, FSINCOS, FPTAN. Arguments are reduced by the hardware's 66-bit pi (SDM Vol. 1 8.3.8), not by pi itself.</summary>
/// <remarks>
/// Magnitudes of 2^63 and above set C2 and leave the operand as it is. Results are rounded once from more than 110 good bits, so they may
/// differ
/// from a given processor's in the last place.
/// </remarks>
public static class X87Trigonometry
{
    /// <summary>The sine.</summary>
    public static Float80 Sine(Float80 a, ref X87Environment env)
    {
        if (Settle(a, a, ref env, out Float80 result))
            return result;
        ReducedAngle angle = ReducedAngle.Reduce(a);
        bool negative = a.IsNegative != ((angle.Quadrant & 2) != 0);
        return (angle.Quadrant & 1) == 0 ? angle.Sine(negative, ref env) : angle.Cosine(negative, ref env);
    }

    /// <summary>The cosine.</summary>
    public static Float80 Cosine(Float80 a, ref X87Environment env)
    {
        if (Settle(a, Float80.One, ref env, out Float80 result))
            return result;
        ReducedAngle angle = ReducedAngle.Reduce(a);
        return (angle.Quadrant & 1) == 0
            ? angle.Cosine((angle.Quadrant & 2) != 0, ref env)
            : angle.Sine((angle.Quadrant & 2) == 0, ref env);
    }

    /// <summary>The tangent; the instruction pushes 1.0 after it, or the same NaN again.</summary>
    public static Float80 Tangent(Float80 a, ref X87Environment env)
    {
        if (Settle(a, a, ref env, out Float80 result))
            return result;
        return ReducedAngle.Reduce(a).Tangent(a.IsNegative, ref env);
    }

    private static bool Settle(Float80 a, Float80 ofZero, ref X87Environment env, out Float80 result)
    {
        env.SetCondition2(false);
        if (NaNRules.Settle(a, ref env, out result))
            return true;
        result = a;
        if (a.IsInfinity)
        {
            result = env.Invalid();
            return true;
        }

        if (a.IsZero)
        {
            result = ofZero;
            return true;
        }

        if (a.Exponent >= Float80.Bias + 63)
        {
            env.SetCondition2(true);
            return true;
        }

        return env.StopsOnDenormal(a);
    }
}
