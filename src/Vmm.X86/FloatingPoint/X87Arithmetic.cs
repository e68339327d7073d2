namespace Vmm.X86.FloatingPoint;

/// <summary>
/// FADD, FSUB, FMUL, FDIV: exact to the bit, rounded to the control word's precision, flags as the hardware sets them.
/// </summary>
/// <remarks>
/// Call <see cref="X87Environment.Begin"/> first. When <see cref="X87Environment.IsAbandoned"/> is true afterwards the returned value
/// must not
/// be stored. No method allocates or throws. Source: SDM Vol. 1 chapters 4.8, 4.9 and 8.5.
/// </remarks>
public static class X87Arithmetic
{
    /// <summary>a + b.</summary>
    public static Float80 Add(Float80 a, Float80 b, ref X87Environment env)
    {
        if (a.IsNormal && b.IsNormal)
        {
            return a.IsNegative == b.IsNegative
                ? AddMagnitudes(a.IsNegative, a.Exponent, a.Significand, b.Exponent, b.Significand, ref env)
                : SubtractMagnitudes(a.IsNegative, a.Exponent, a.Significand, b.Exponent, b.Significand, ref env);
        }

        return AddSpecial(a, b, b.IsNegative, ref env);
    }

    /// <summary>a - b.</summary>
    public static Float80 Subtract(Float80 a, Float80 b, ref X87Environment env)
    {
        if (a.IsNormal && b.IsNormal)
        {
            return a.IsNegative != b.IsNegative
                ? AddMagnitudes(a.IsNegative, a.Exponent, a.Significand, b.Exponent, b.Significand, ref env)
                : SubtractMagnitudes(a.IsNegative, a.Exponent, a.Significand, b.Exponent, b.Significand, ref env);
        }

        return AddSpecial(a, b, !b.IsNegative, ref env);
    }

    /// <summary>a * b.</summary>
    public static Float80 Multiply(Float80 a, Float80 b, ref X87Environment env)
    {
        bool negative = a.IsNegative != b.IsNegative;
        int exponentA = a.Exponent;
        int exponentB = b.Exponent;
        ulong significandA = a.Significand;
        ulong significandB = b.Significand;
        if (!a.IsNormal || !b.IsNormal)
        {
            if (NaNRules.Settle(a, b, ref env, out Float80 result))
                return result;
            if ((a.IsInfinity && b.IsZero) || (a.IsZero && b.IsInfinity))
                return env.Invalid();
            if (env.StopsOnDenormal(a, b))
                return a;
            if (a.IsInfinity || b.IsInfinity)
                return new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit);
            if (a.IsZero || b.IsZero)
                return new Float80(negative, 0, 0);
            a.Normalize(out exponentA, out significandA);
            b.Normalize(out exponentB, out significandB);
        }

        int exponent = exponentA + exponentB - Float80.Bias + 1;
        ulong high = Math.BigMul(significandA, significandB, out ulong low);
        if ((long)high >= 0)
        {
            high = (high << 1) | (low >> 63);
            low <<= 1;
            exponent--;
        }

        return RoundedResult.PackControlled(negative, exponent, high, low, ref env);
    }

    /// <summary>a / b.</summary>
    public static Float80 Divide(Float80 a, Float80 b, ref X87Environment env)
    {
        bool negative = a.IsNegative != b.IsNegative;
        int exponentA = a.Exponent;
        int exponentB = b.Exponent;
        ulong significandA = a.Significand;
        ulong significandB = b.Significand;
        if (!a.IsNormal || !b.IsNormal)
        {
            if (NaNRules.Settle(a, b, ref env, out Float80 result))
                return result;
            if ((a.IsInfinity && b.IsInfinity) || (a.IsZero && b.IsZero))
                return env.Invalid();
            if (b.IsZero)
            {
                if (!a.IsInfinity)
                    env.Raise(X87Exceptions.ZeroDivide);
                return new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit);
            }

            if (env.StopsOnDenormal(a, b))
                return a;
            if (a.IsInfinity)
                return new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit);
            if (a.IsZero || b.IsInfinity)
                return new Float80(negative, 0, 0);
            a.Normalize(out exponentA, out significandA);
            b.Normalize(out exponentB, out significandB);
        }

        int exponent = exponentA - exponentB + Float80.Bias;
        ulong quotient;
        ulong remainder;
        if (significandA < significandB)
        {
            exponent--;
            quotient = WideInteger.Divide(significandA, 0, significandB, out remainder);
        }
        else
        {
            quotient = WideInteger.Divide(significandA >> 1, significandA << 63, significandB, out remainder);
        }

        ulong low = 0;
        if (remainder != 0)
        {
            ulong rest = significandB - remainder;
            low = remainder < rest ? 1 : remainder == rest ? Float80.IntegerBit : Float80.IntegerBit | 1;
        }

        return RoundedResult.PackControlled(negative, exponent, quotient, low, ref env);
    }

    private static Float80 AddSpecial(Float80 a, Float80 b, bool negativeB, ref X87Environment env)
    {
        if (NaNRules.Settle(a, b, ref env, out Float80 result))
            return result;
        bool negativeA = a.IsNegative;
        if (a.IsInfinity && b.IsInfinity && negativeA != negativeB)
            return env.Invalid();
        if (env.StopsOnDenormal(a, b))
            return a;
        if (a.IsInfinity)
            return a;
        if (b.IsInfinity)
            return new Float80(negativeB, Float80.MaximumExponent, Float80.IntegerBit);
        if (a.IsZero && b.IsZero)
            return new Float80(negativeA == negativeB ? negativeA : env.Rounding == X87Rounding.Down, 0, 0);
        a.Normalize(out int exponentA, out ulong significandA);
        b.Normalize(out int exponentB, out ulong significandB);
        if (significandB == 0)
            return RoundedResult.PackControlled(negativeA, exponentA, significandA, 0, ref env);
        if (significandA == 0)
            return RoundedResult.PackControlled(negativeB, exponentB, significandB, 0, ref env);
        return negativeA == negativeB
            ? AddMagnitudes(negativeA, exponentA, significandA, exponentB, significandB, ref env)
            : SubtractMagnitudes(negativeA, exponentA, significandA, exponentB, significandB, ref env);
    }

    private static Float80 AddMagnitudes(
        bool negative, int exponentA, ulong significandA, int exponentB, ulong significandB, ref X87Environment env)
    {
        int distance = exponentA - exponentB;
        if (distance < 0)
        {
            (significandA, significandB) = (significandB, significandA);
            exponentA = exponentB;
            distance = -distance;
        }

        ulong low = 0;
        RoundedResult.ShiftRightSticky(ref significandB, ref low, distance);
        ulong high = significandA + significandB;
        if (high < significandA)
        {
            low = (high << 63) | (low >> 1) | (low & 1);
            high = (high >> 1) | Float80.IntegerBit;
            exponentA++;
        }

        return RoundedResult.PackControlled(negative, exponentA, high, low, ref env);
    }

    private static Float80 SubtractMagnitudes(
        bool negative, int exponentA, ulong significandA, int exponentB, ulong significandB, ref X87Environment env)
    {
        int distance = exponentA - exponentB;
        if (distance < 0 || (distance == 0 && significandA < significandB))
        {
            (significandA, significandB) = (significandB, significandA);
            exponentA = exponentB;
            distance = -distance;
            negative = !negative;
        }

        ulong low = 0;
        RoundedResult.ShiftRightSticky(ref significandB, ref low, distance);
        ulong high = significandA - significandB - (low != 0 ? 1UL : 0);
        low = 0 - low;
        if ((high | low) == 0)
            return new Float80(env.Rounding == X87Rounding.Down, 0, 0);
        exponentA -= RoundedResult.NormalizeLeft(ref high, ref low);
        return RoundedResult.PackControlled(negative, exponentA, high, low, ref env);
    }
}
