namespace Vmm.X86.FloatingPoint;

/// <summary>Rounding of a value with the binary point between two 64-bit words.</summary>
internal static class IntegerRounding
{
    public static bool RoundsUp(ulong integer, ulong fraction, bool negative, X87Rounding rounding)
    {
        if (fraction == 0)
            return false;
        return RoundedResult.AwayFromZero(negative, rounding)
            ?? (fraction > Float80.IntegerBit || (fraction == Float80.IntegerBit && (integer & 1) != 0));
    }

    /// <summary>
    /// The magnitude of a finite value rounded to an integer. False if it needs more than 64 bits.
    /// </summary>
    public static bool TryRound(Float80 a, X87Rounding rounding, out ulong magnitude, out bool inexact, out bool up)
    {
        magnitude = 0;
        inexact = false;
        up = false;
        if (a.IsZero)
            return true;
        a.Normalize(out int exponent, out ulong high);
        int shift = Float80.Bias + 63 - exponent;
        if (shift < 0)
            return false;
        ulong low = 0;
        RoundedResult.ShiftRightSticky(ref high, ref low, shift);
        inexact = low != 0;
        up = RoundsUp(high, low, a.IsNegative, rounding);
        magnitude = high + (up ? 1UL : 0);
        return true;
    }
}
