using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>
/// SSE arithmetic in integers: results and exception flags for every MXCSR, on every host (SDM Vol. 1 4.9, 11.5 and appendix E). Flags are
/// those of one element and are merged into <c>flags</c>; which of them stop the instruction is decided once all its elements are done.
/// </summary>
/// <remarks>
/// Between steps a finite non-zero value is <c>significand * 2^(exponent - 62)</c> with the significand's leading one at bit 62 and
/// everything that was shifted out collected in bit 0.
/// </remarks>
internal static partial class SoftFloat<TFormat>
    where TFormat : struct, IFloatFormat
{
    private const int Lead = 62;

    private static bool Masked(uint mxcsr, uint mask) => (mxcsr & mask) != 0;

    /// <summary>Shifts right and keeps a one at the bottom when a one was lost.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftRightSticky(ulong x, int count) =>
        count == 0 ? x : count > 63 ? (x != 0 ? 1UL : 0) : (x >> count) | (x << (64 - count) != 0 ? 1UL : 0);

    /// <summary>Significand and exponent of a finite non-zero value.</summary>
    private static ulong Unpack(ulong x, out int exponent)
    {
        int biased = (int)(FloatFormat<TFormat>.Magnitude(x) >> TFormat.FractionBits);
        ulong fraction = x & FloatFormat<TFormat>.Fraction;
        if (biased != 0)
        {
            exponent = biased - FloatFormat<TFormat>.Bias;
            return (fraction | FloatFormat<TFormat>.Hidden) << (Lead - TFormat.FractionBits);
        }
        int shift = BitOperations.LeadingZeroCount(fraction) - 1;
        exponent = 1 - FloatFormat<TFormat>.Bias + (Lead - TFormat.FractionBits) - shift;
        return fraction << shift;
    }

    private static ulong Increment(uint mxcsr, ulong sign, ulong below) => (mxcsr & MxcsrBits.Rounding) switch
    {
        MxcsrBits.RoundNearest => (below >> 1) + 1,
        MxcsrBits.RoundDown => sign != 0 ? below : 0,
        MxcsrBits.RoundUp => sign != 0 ? 0 : below,
        _ => 0,
    };

    private static ulong RoundSignificand(uint mxcsr, ulong sign, ulong significand, out bool inexact)
    {
        int drop = Lead - TFormat.FractionBits;
        ulong below = (1UL << drop) - 1;
        ulong lost = significand & below;
        inexact = lost != 0;
        ulong rounded = (significand + Increment(mxcsr, sign, below)) >> drop;
        if ((mxcsr & MxcsrBits.Rounding) == MxcsrBits.RoundNearest && lost == (below >> 1) + 1)
            rounded &= ~1UL;
        return rounded;
    }

    /// <summary>Rounds to the format: overflow, underflow (tininess is detected after rounding), flush to zero, precision.</summary>
    /// <param name="sign">The format's sign bit, or zero.</param>
    /// <param name="exponent">Unbiased exponent.</param>
    /// <param name="significand">Leading one at bit 62.</param>
    /// <param name="mxcsr">Modes and masks.</param>
    /// <param name="flags">Receives the exceptions.</param>
    public static ulong Pack(ulong sign, int exponent, ulong significand, uint mxcsr, ref uint flags)
    {
        int biased = exponent + FloatFormat<TFormat>.Bias;
        ulong rounded = RoundSignificand(mxcsr, sign, significand, out bool inexact);
        int final = biased;
        if (rounded > FloatFormat<TFormat>.Fraction + FloatFormat<TFormat>.Hidden)
        {
            rounded >>= 1;
            final++;
        }
        if (final >= FloatFormat<TFormat>.LargestExponent)
            return Overflow(sign, inexact, mxcsr, ref flags);
        if (final <= 0)
            return Underflow(sign, biased, significand, inexact, mxcsr, ref flags);
        if (inexact)
            flags |= MxcsrBits.Precision;
        return sign | ((ulong)final << TFormat.FractionBits) | (rounded & FloatFormat<TFormat>.Fraction);
    }

    private static ulong Overflow(ulong sign, bool inexact, uint mxcsr, ref uint flags)
    {
        flags |= MxcsrBits.Overflow;
        if (inexact || Masked(mxcsr, MxcsrBits.OverflowMask))
            flags |= MxcsrBits.Precision;
        bool toInfinity = (mxcsr & MxcsrBits.Rounding) switch
        {
            MxcsrBits.RoundNearest => true,
            MxcsrBits.RoundDown => sign != 0,
            MxcsrBits.RoundUp => sign == 0,
            _ => false,
        };
        return sign | (toInfinity ? FloatFormat<TFormat>.Infinity : FloatFormat<TFormat>.Infinity - 1);
    }

    private static ulong Underflow(ulong sign, int biased, ulong significand, bool inexact, uint mxcsr, ref uint flags)
    {
        if (!Masked(mxcsr, MxcsrBits.UnderflowMask))
        {
            flags |= MxcsrBits.Underflow | (inexact ? MxcsrBits.Precision : 0);
            return sign; // the instruction will not complete
        }
        if (Masked(mxcsr, MxcsrBits.FlushToZero))
        {
            flags |= MxcsrBits.Underflow | MxcsrBits.Precision;
            return sign;
        }
        ulong rounded = RoundSignificand(mxcsr, sign, ShiftRightSticky(significand, 1 - biased), out bool lost);
        if (lost)
            flags |= MxcsrBits.Underflow | MxcsrBits.Precision;
        return sign | rounded; // a carry into the hidden bit makes it the smallest normal number
    }

    /// <summary>The result when an operand is a NaN: the first operand's, made quiet, else the second's.</summary>
    private static ulong Propagate(ulong a, ulong b, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsSignallingNaN(a) || FloatFormat<TFormat>.IsSignallingNaN(b))
            flags |= MxcsrBits.InvalidOperation;
        return (FloatFormat<TFormat>.IsNaN(a) ? a : b) | FloatFormat<TFormat>.Quiet;
    }

    private static ulong Invalid(ref uint flags)
    {
        flags |= MxcsrBits.InvalidOperation;
        return FloatFormat<TFormat>.Indefinite;
    }

    /// <summary>A denormal operand: zero with DAZ, else an exception. True when it counts as an exception.</summary>
    private static bool Denormal(ref ulong x, uint mxcsr)
    {
        if (!FloatFormat<TFormat>.IsDenormal(x))
            return false;
        if (!Masked(mxcsr, MxcsrBits.DenormalsAreZeros))
            return true;
        x &= FloatFormat<TFormat>.Sign;
        return false;
    }

    /// <summary>Applies DAZ to both operands and raises the denormal exception.</summary>
    private static void Denormals(ref ulong a, ref ulong b, uint mxcsr, ref uint flags)
    {
        if (Denormal(ref a, mxcsr) | Denormal(ref b, mxcsr))
            flags |= MxcsrBits.Denormal;
    }
}
