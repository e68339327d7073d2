namespace Vmm.X86.FloatingPoint;

/// <summary>
/// FLD1, FLDZ and the five constants that the hardware holds to 66 bits and rounds by the rounding control (SDM Vol. 1 8.3.2).
/// </summary>
public static class X87Constants
{
    /// <summary>log2(10), FLDL2T.</summary>
    public static Float80 Log2Of10(X87Rounding rounding) => Pick(0x4000, 0xD49A_784B_CD1B_8AFE, false, rounding);

    /// <summary>log2(e), FLDL2E.</summary>
    public static Float80 Log2OfE(X87Rounding rounding) => Pick(0x3FFF, 0xB8AA_3B29_5C17_F0BB, true, rounding);

    /// <summary>pi, FLDPI.</summary>
    public static Float80 Pi(X87Rounding rounding) => Pick(0x4000, 0xC90F_DAA2_2168_C234, true, rounding);

    /// <summary>log10(2), FLDLG2.</summary>
    public static Float80 Log10Of2(X87Rounding rounding) => Pick(0x3FFD, 0x9A20_9A84_FBCF_F798, true, rounding);

    /// <summary>ln(2), FLDLN2.</summary>
    public static Float80 LogEOf2(X87Rounding rounding) => Pick(0x3FFE, 0xB172_17F7_D1CF_79AB, true, rounding);

    /// <summary>The constant cut to 64 bits, or one more in the last place.</summary>
    private static Float80 Pick(ushort signExponent, ulong significand, bool nearestIsUp, X87Rounding rounding)
    {
        bool up = RoundedResult.AwayFromZero(false, rounding) ?? nearestIsUp;
        return new Float80(significand + (up ? 1UL : 0), signExponent);
    }
}
