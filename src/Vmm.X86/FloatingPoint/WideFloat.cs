namespace Vmm.X86.FloatingPoint;

/// <summary>
/// A 128-bit binary floating-point number for the inside of the transcendental functions: the value is significand * 2^(exponent - 127),
/// the
/// significand's top bit set, or zero. Results are cut, not rounded; a few units in the 128th place are lost per step.
/// </summary>
internal readonly struct WideFloat(bool negative, int exponent, UInt128 significand)
{
    public readonly bool Negative = negative;
    public readonly int Exponent = exponent;
    public readonly UInt128 Significand = significand;

    public static WideFloat One => new(false, 0, UInt128.One << 127);

    public bool IsZero => Significand == 0;

    public WideFloat Abs => new(false, Exponent, Significand);

    public WideFloat Negated => new(!Negative, Exponent, Significand);

    /// <summary>A finite register value, exactly.</summary>
    public static WideFloat From(Float80 a)
    {
        a.Normalize(out int exponent, out ulong significand);
        return new WideFloat(a.IsNegative, exponent - Float80.Bias, new UInt128(significand, 0));
    }

    public static WideFloat FromInteger(int value) => Make(value < 0, 127, (UInt128)(uint)Math.Abs(value));

    /// <summary>Normalises significand * 2^(exponent - 127).</summary>
    public static WideFloat Make(bool negative, int exponent, UInt128 significand)
    {
        if (significand == 0)
            return default;
        int shift = (int)UInt128.LeadingZeroCount(significand);
        return new WideFloat(negative, exponent - shift, significand << shift);
    }

    /// <summary>The value as a fraction of 2^128; it must lie in [0, 1).</summary>
    public UInt128 ToFraction()
    {
        int shift = -1 - Exponent;
        return shift >= 128 ? 0 : Significand >> shift;
    }

    public WideFloat Multiply(WideFloat other)
    {
        if (IsZero || other.IsZero)
            return default;
        return Make(Negative != other.Negative, Exponent + other.Exponent + 1, MultiplyHigh(Significand, other.Significand));
    }

    public WideFloat Add(WideFloat other)
    {
        if (IsZero)
            return other;
        if (other.IsZero)
            return this;
        if (Exponent < other.Exponent)
            return other.Add(this);
        int distance = Exponent - other.Exponent;
        UInt128 mine = Significand >> 1;
        UInt128 theirs = distance >= 127 ? 0 : (other.Significand >> 1) >> distance;
        if (Negative == other.Negative)
            return Make(Negative, Exponent + 1, mine + theirs);
        return mine >= theirs ? Make(Negative, Exponent + 1, mine - theirs) : Make(!Negative, Exponent + 1, theirs - mine);
    }

    public WideFloat Divide(WideFloat other)
    {
        if (IsZero)
            return default;
        UInt128 rest = Significand;
        int exponent = Exponent - other.Exponent;
        bool whole = rest >= other.Significand;
        if (whole)
            rest -= other.Significand;
        UInt128 quotient = 0;
        for (int i = 0; i < 127; i++)
        {
            bool carry = rest >> 127 != 0;
            rest <<= 1;
            quotient <<= 1;
            if (carry || rest >= other.Significand)
            {
                rest -= other.Significand;
                quotient |= 1;
            }
        }

        return Make(Negative != other.Negative, exponent, quotient | (whole ? UInt128.One << 127 : 0));
    }

    /// <summary>
    /// Rounds into the register format and always reports an inexact result, as the hardware does for transcendental functions.
    /// <paramref name="below"/>: the true magnitude is a trifle smaller than this one; <paramref name="above"/>: a trifle larger.
    /// </summary>
    public Float80 RoundInexact(ref X87Environment env, bool below = false, bool above = false)
    {
        UInt128 significand = above ? Significand | 1 : Significand;
        int exponent = Exponent;
        if (below)
        {
            significand -= 1;
            if (significand >> 127 == 0)
            {
                significand = (significand << 1) | 1;
                exponent--;
            }
        }

        ulong high = (ulong)(significand >> 64);
        Float80 result = RoundedResult.PackExtended(Negative, exponent + Float80.Bias, high, (ulong)significand, ref env);
        if ((env.Raised & X87Exceptions.Precision) == 0)
            env.Raise(X87Exceptions.Precision);
        return result;
    }

    /// <summary>The upper half of the 256-bit product.</summary>
    public static UInt128 MultiplyHigh(UInt128 a, UInt128 b)
    {
        ulong a1 = (ulong)(a >> 64);
        ulong a0 = (ulong)a;
        ulong b1 = (ulong)(b >> 64);
        ulong b0 = (ulong)b;
        ulong low = Math.BigMul(a0, b0, out _);
        UInt128 middle1 = new(Math.BigMul(a1, b0, out ulong m1), m1);
        UInt128 middle2 = new(Math.BigMul(a0, b1, out ulong m2), m2);
        UInt128 high = new(Math.BigMul(a1, b1, out ulong h), h);
        UInt128 carry = (UInt128)(ulong)middle1 + (ulong)middle2 + low;
        return high + (middle1 >> 64) + (middle2 >> 64) + (carry >> 64);
    }
}
