using System.Numerics;

namespace Vmm.X86.Execution;

internal static partial class SoftFloat<TFormat>
{
    /// <summary>From a signed integer.</summary>
    public static ulong FromInteger(long value, uint mxcsr, ref uint flags)
    {
        if (value == 0)
            return 0;
        ulong magnitude = value < 0 ? 0 - (ulong)value : (ulong)value;
        int zeros = BitOperations.LeadingZeroCount(magnitude);
        ulong significand = ShiftRightSticky(magnitude << zeros, 1);
        return Pack(value < 0 ? FloatFormat<TFormat>.Sign : 0, 63 - zeros, significand, mxcsr, ref flags);
    }

    /// <summary>To another format.</summary>
    public static ulong Convert<TTarget>(ulong a, uint mxcsr, ref uint flags)
        where TTarget : struct, IFloatFormat
    {
        ulong sign = (a & FloatFormat<TFormat>.Sign) != 0 ? FloatFormat<TTarget>.Sign : 0;
        if (FloatFormat<TFormat>.IsNaN(a))
        {
            if (FloatFormat<TFormat>.IsSignallingNaN(a))
                flags |= MxcsrBits.InvalidOperation;
            ulong payload = a & FloatFormat<TFormat>.Fraction;
            int shift = TTarget.FractionBits - TFormat.FractionBits;
            payload = shift >= 0 ? payload << shift : payload >> -shift;
            return sign | FloatFormat<TTarget>.Infinity | FloatFormat<TTarget>.Quiet | payload;
        }
        if (Denormal(ref a, mxcsr))
            flags |= MxcsrBits.Denormal;
        ulong magnitude = FloatFormat<TFormat>.Magnitude(a);
        if (magnitude == 0)
            return sign;
        if (magnitude == FloatFormat<TFormat>.Infinity)
            return sign | FloatFormat<TTarget>.Infinity;
        ulong significand = Unpack(a, out int exponent);
        return SoftFloat<TTarget>.Pack(sign, exponent, significand, mxcsr, ref flags);
    }

    /// <summary>To a signed integer of 32 or 64 bits; what does not fit gives the "integer indefinite", the most negative value.</summary>
    public static long ToInteger(ulong a, int bits, uint mxcsr, ref uint flags)
    {
        long indefinite = -1L << (bits - 1);
        Denormal(ref a, mxcsr); // no denormal exception here, but DAZ applies
        ulong magnitude = FloatFormat<TFormat>.Magnitude(a);
        if (magnitude == 0)
            return 0;
        bool negative = (a & FloatFormat<TFormat>.Sign) != 0;
        int exponent = 64;
        ulong significand = magnitude >= FloatFormat<TFormat>.Infinity ? 0 : Unpack(a, out exponent);
        if (exponent >= 63)
        {
            if (!(exponent == 63 && negative && bits == 64 && significand == 1UL << Lead))
                flags |= MxcsrBits.InvalidOperation;
            return indefinite;
        }
        ulong integer = RoundToInteger(significand, Lead - exponent, negative, mxcsr, out bool inexact);
        ulong limit = negative ? 1UL << (bits - 1) : (1UL << (bits - 1)) - 1;
        if (integer > limit)
        {
            flags |= MxcsrBits.InvalidOperation;
            return indefinite;
        }
        if (inexact)
            flags |= MxcsrBits.Precision;
        return negative ? -(long)integer : (long)integer;
    }

    /// <summary>Rounds to an integral value of the same format (ROUNDPS and its kin); the caller may drop the precision flag.</summary>
    public static ulong ToIntegral(ulong a, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a))
            return Propagate(a, a, ref flags);
        Denormal(ref a, mxcsr);
        ulong sign = a & FloatFormat<TFormat>.Sign;
        ulong magnitude = FloatFormat<TFormat>.Magnitude(a);
        if (magnitude == 0 || magnitude == FloatFormat<TFormat>.Infinity)
            return a;
        ulong significand = Unpack(a, out int exponent);
        if (exponent >= TFormat.FractionBits)
            return a;
        ulong integer = RoundToInteger(significand, Lead - exponent, sign != 0, mxcsr, out bool inexact);
        if (inexact)
            flags |= MxcsrBits.Precision;
        if (integer == 0)
            return sign;
        uint none = 0;
        return sign | FromInteger((long)integer, MxcsrBits.Reset, ref none);
    }

    private static ulong RoundToInteger(ulong significand, int drop, bool negative, uint mxcsr, out bool inexact)
    {
        if (drop < 2)
        {
            inexact = false; // no format here has more than 53 bits
            return significand >> drop;
        }
        // Below one half everything is alike: keep one guard bit and one sticky bit.
        ulong x = ShiftRightSticky(significand, drop - 2);
        ulong lost = x & 3;
        inexact = lost != 0;
        ulong integer = x >> 2;
        bool up = (mxcsr & MxcsrBits.Rounding) switch
        {
            MxcsrBits.RoundNearest => lost == 3 || (lost == 2 && (integer & 1) != 0),
            MxcsrBits.RoundDown => negative && inexact,
            MxcsrBits.RoundUp => !negative && inexact,
            _ => false,
        };
        return up ? integer + 1 : integer;
    }
}
