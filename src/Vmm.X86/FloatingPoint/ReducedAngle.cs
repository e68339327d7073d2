namespace Vmm.X86.FloatingPoint;

/// <summary>|x| = quadrant * pi/2 + rest, the rest within pi/4 either way, by the 66-bit pi.</summary>
internal readonly struct ReducedAngle
{
    /// <summary>pi/2 in units of 2^-67: the 66-bit pi of SDM Vol. 1 8.3.8 as an integer.</summary>
    private static readonly UInt128 s_halfPi = new(0xC, 0x90FD_AA22_168C_234C);

    private readonly WideFloat _rest;

    private ReducedAngle(int quadrant, WideFloat rest)
    {
        Quadrant = quadrant;
        _rest = rest;
    }

    /// <summary>The quotient's last two bits.</summary>
    public int Quadrant { get; }

    public static ReducedAngle Reduce(Float80 a)
    {
        WideFloat x = WideFloat.From(a).Abs;
        if (x.Exponent < -1)
            return new ReducedAngle(0, x);
        // x in units of 2^-67 is the significand shifted left by up to 66 bits: remainder bit by bit.
        UInt128 rest = x.Significand >> 64;
        int quotient = 0;
        for (int i = x.Exponent + 4; i > 0; i--)
        {
            rest <<= 1;
            quotient <<= 1;
            if (rest >= s_halfPi)
            {
                rest -= s_halfPi;
                quotient |= 1;
            }
        }

        bool negative = rest > s_halfPi >> 1;
        if (negative)
        {
            rest = s_halfPi - rest;
            quotient++;
        }

        return new ReducedAngle(quotient & 3, WideFloat.Make(negative, 127 - 67, rest));
    }

    public Float80 Sine(bool negate, ref X87Environment env)
    {
        WideFloat sine = SineOfRest(out bool below);
        return (negate ? sine.Negated : sine).RoundInexact(ref env, below);
    }

    public Float80 Cosine(bool negate, ref X87Environment env)
    {
        WideFloat cosine = CosineOfRest(out bool below);
        return (negate ? cosine.Negated : cosine).RoundInexact(ref env, below);
    }

    public Float80 Tangent(bool negate, ref X87Environment env)
    {
        WideFloat sine = SineOfRest(out _);
        WideFloat cosine = CosineOfRest(out _);
        WideFloat tangent = (Quadrant & 1) == 0 ? sine.Divide(cosine) : cosine.Divide(sine).Negated;
        return (negate ? tangent.Negated : tangent).RoundInexact(ref env, above: true);
    }

    private WideFloat SineOfRest(out bool below)
    {
        UInt128 defect = Series.SineDefect(_rest.Multiply(_rest).ToFraction());
        below = defect == 0;
        return below ? _rest : _rest.Multiply(WideFloat.Make(false, -1, UInt128.Zero - defect));
    }

    private WideFloat CosineOfRest(out bool below)
    {
        UInt128 defect = Series.CosineDefect(_rest.Multiply(_rest).ToFraction());
        below = defect == 0;
        return below ? WideFloat.One : WideFloat.Make(false, -1, UInt128.Zero - defect);
    }
}
