namespace Vmm.X86.FloatingPoint;

/// <summary>
/// The power series behind the transcendental functions, in fixed point with 128 fraction bits; error below 2^-115 of the result.
/// </summary>
internal static class Series
{
    private static readonly UInt128[] s_inverseFactorials = MakeInverseFactorials(36);
    private static readonly UInt128[] s_inverseOdds = MakeInverseOdds(27);

    /// <summary>1 - sin(r)/r, as a fraction, of u = r^2, |r| at most pi/4.</summary>
    public static UInt128 SineDefect(UInt128 u) => Alternating(u, 3, 33);

    /// <summary>1 - cos(r), as a fraction, of u = r^2.</summary>
    public static UInt128 CosineDefect(UInt128 u) => Alternating(u, 2, 34);

    /// <summary>e^y - 1 for |y| at most ln 2.</summary>
    public static WideFloat ExponentialMinusOne(WideFloat y)
    {
        UInt128 magnitude = y.ToFraction();
        UInt128 sum = s_inverseFactorials[32];
        for (int n = 31; n >= 2; n--)
        {
            UInt128 term = WideFloat.MultiplyHigh(magnitude, sum);
            sum = y.Negative ? s_inverseFactorials[n] - term : s_inverseFactorials[n] + term;
        }

        UInt128 rest = WideFloat.MultiplyHigh(magnitude, sum) >> 1;
        UInt128 one = UInt128.One << 127;
        return y.Multiply(WideFloat.Make(false, 0, y.Negative ? one - rest : one + rest));
    }

    /// <summary>atanh(s) for |s| at most 0.172: half the logarithm of (1 + s) / (1 - s).</summary>
    public static WideFloat InverseHyperbolicTangent(WideFloat s)
    {
        UInt128 u = s.Multiply(s).ToFraction();
        UInt128 sum = s_inverseOdds[26];
        for (int n = 25; n >= 1; n--)
            sum = s_inverseOdds[n] + WideFloat.MultiplyHigh(u, sum);
        UInt128 rest = WideFloat.MultiplyHigh(u, sum);
        return s.Multiply(WideFloat.Make(false, 0, (UInt128.One << 127) + (rest >> 1)));
    }

    /// <summary>atan(t) for |t| at most 1/16; <paramref name="below"/> when it equals t but for a trifle.</summary>
    public static WideFloat InverseTangent(WideFloat t, out bool below)
    {
        UInt128 u = t.Multiply(t).ToFraction();
        UInt128 sum = s_inverseOdds[18];
        for (int n = 17; n >= 1; n--)
            sum = s_inverseOdds[n] - WideFloat.MultiplyHigh(u, sum);
        UInt128 rest = WideFloat.MultiplyHigh(u, sum);
        below = rest == 0;
        return below ? t : t.Multiply(WideFloat.Make(false, -1, UInt128.Zero - rest));
    }

    private static UInt128 Alternating(UInt128 u, int first, int last)
    {
        UInt128 sum = s_inverseFactorials[last];
        for (int n = last - 2; n >= first; n -= 2)
            sum = s_inverseFactorials[n] - WideFloat.MultiplyHigh(u, sum);
        return WideFloat.MultiplyHigh(u, sum);
    }

    private static UInt128[] MakeInverseFactorials(int count)
    {
        UInt128[] table = new UInt128[count];
        table[2] = UInt128.One << 127;
        for (int n = 3; n < count; n++)
            table[n] = table[n - 1] / (UInt128)n;
        return table;
    }

    private static UInt128[] MakeInverseOdds(int count)
    {
        UInt128[] table = new UInt128[count];
        for (int n = 1; n < count; n++)
            table[n] = UInt128.MaxValue / (UInt128)((2 * n) + 1);
        return table;
    }
}
