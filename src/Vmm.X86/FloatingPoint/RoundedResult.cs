using System.Numerics;

namespace Vmm.X86.FloatingPoint;

/// <summary>
/// The last step of every operation: from an unbounded exact-enough value to an encoding, with the exceptions that belong to it.
/// </summary>
internal static class RoundedResult
{
    /// <summary>What the exponent of an unmasked overflow or underflow is moved by (SDM Vol. 1 8.5.4).</summary>
    private const int ExponentAdjust = 24576;

    /// <summary>Rounds to the precision that the control word asks for (add, subtract, multiply, divide, square root).</summary>
    /// <param name="negative">The sign.</param>
    /// <param name="exponent">Biased exponent, unbounded, of a significand whose top bit weighs 1.</param>
    /// <param name="high">Significand, top bit set.</param>
    /// <param name="low">The 64 bits below; the last is sticky.</param>
    /// <param name="env">Control and flags.</param>
    public static Float80 PackControlled(bool negative, int exponent, ulong high, ulong low, ref X87Environment env)
    {
        ulong mask = (env.ControlWord & 0x300) switch
        {
            0x000 => 0xFF_FFFF_FFFF,
            0x200 => 0x7FF,
            _ => 0,
        };
        return Pack(negative, exponent, high, low, mask, ref env);
    }

    /// <summary>Rounds to 64 bits whatever the precision control says (all other instructions).</summary>
    public static Float80 PackExtended(bool negative, int exponent, ulong high, ulong low, ref X87Environment env) =>
        Pack(negative, exponent, high, low, 0, ref env);

    private static Float80 Pack(bool negative, int exponent, ulong high, ulong low, ulong mask, ref X87Environment env)
    {
        if ((uint)(exponent - 1) >= 0x7FFD)
            return PackExtreme(negative, exponent, high, low, mask, ref env);
        if (((high & mask) | low) == 0)
            return new Float80(negative, exponent, high);
        bool up = Round(ref high, low, mask, negative, env.Rounding, out bool carry);
        Inexact(up, ref env);
        return new Float80(negative, carry ? exponent + 1 : exponent, high);
    }

    private static Float80 PackExtreme(bool negative, int exponent, ulong high, ulong low, ulong mask, ref X87Environment env)
    {
        ulong rounded = high;
        bool inexact = ((high & mask) | low) != 0;
        bool up = Round(ref rounded, low, mask, negative, env.Rounding, out bool carry);
        int roundedExponent = carry ? exponent + 1 : exponent;

        if (roundedExponent >= Float80.MaximumExponent)
        {
            env.Raise(X87Exceptions.Overflow);
            if (!env.IsMasked(X87Exceptions.Overflow))
            {
                roundedExponent -= ExponentAdjust;
                bool beyond = roundedExponent >= Float80.MaximumExponent;
                if (inexact || beyond)
                    Inexact(up || beyond, ref env);
                return beyond
                    ? new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit)
                    : new Float80(negative, roundedExponent, rounded);
            }

            bool infinite = AwayFromZero(negative, env.Rounding) ?? true;
            Inexact(infinite, ref env);
            return infinite
                ? new Float80(negative, Float80.MaximumExponent, Float80.IntegerBit)
                : new Float80(negative, Float80.MaximumExponent - 1, ~mask);
        }

        if (roundedExponent >= 1)
        {
            if (exponent >= 1)
            {
                if (inexact)
                    Inexact(up, ref env);
                return new Float80(negative, roundedExponent, rounded);
            }
        }
        else if (!env.IsMasked(X87Exceptions.Underflow))
        {
            env.Raise(X87Exceptions.Underflow);
            roundedExponent += ExponentAdjust;
            bool beyond = roundedExponent <= 0;
            if (inexact || beyond)
                Inexact(up && !beyond, ref env);
            return beyond ? new Float80(negative, 0, 0) : new Float80(negative, roundedExponent, rounded);
        }

        bool tiny = roundedExponent < 1;
        ShiftRightSticky(ref high, ref low, 1 - exponent);
        inexact = ((high & mask) | low) != 0;
        if (inexact)
        {
            up = Round(ref high, low, mask, negative, env.Rounding, out _);
            if (tiny)
                env.Raise(X87Exceptions.Underflow);
            Inexact(up, ref env);
        }

        return new Float80(negative, (long)high < 0 ? 1 : 0, high);
    }

    /// <summary>
    /// Rounds a significand in place; true if away from zero. On a carry out of the top the significand becomes the integer bit alone.
    /// </summary>
    public static bool Round(ref ulong high, ulong low, ulong mask, bool negative, X87Rounding rounding, out bool carry)
    {
        carry = false;
        ulong fraction = high & mask;
        high &= ~mask;
        if ((fraction | low) == 0)
            return false;
        bool up = AwayFromZero(negative, rounding) ?? Above(high, fraction, low, mask);
        if (!up)
            return false;
        high += mask + 1;
        if (high == 0)
        {
            high = Float80.IntegerBit;
            carry = true;
        }

        return true;
    }

    /// <summary>Shifts a 128-bit significand right, gathering what falls out in the last bit.</summary>
    public static void ShiftRightSticky(ref ulong high, ref ulong low, int count)
    {
        if (count <= 0)
            return;
        if (count < 64)
        {
            ulong lost = low << (64 - count);
            low = (high << (64 - count)) | (low >> count) | (lost != 0 ? 1UL : 0);
            high >>= count;
        }
        else if (count < 128)
        {
            ulong lost = low | (count == 64 ? 0 : high << (128 - count));
            low = (count == 64 ? high : high >> (count - 64)) | (lost != 0 ? 1UL : 0);
            high = 0;
        }
        else
        {
            low = (high | low) != 0 ? 1UL : 0;
            high = 0;
        }
    }

    /// <summary>Brings the top bit of a non-zero 128-bit significand to bit 127; returns the shift.</summary>
    public static int NormalizeLeft(ref ulong high, ref ulong low)
    {
        int shift = 0;
        if (high == 0)
        {
            high = low;
            low = 0;
            shift = 64;
        }

        int more = BitOperations.LeadingZeroCount(high);
        if (more != 0)
        {
            high = (high << more) | (low >> (64 - more));
            low <<= more;
        }

        return shift + more;
    }

    /// <summary>The answer of a directed rounding mode for an inexact value; null for to-nearest.</summary>
    public static bool? AwayFromZero(bool negative, X87Rounding rounding) => rounding switch
    {
        X87Rounding.Down => negative,
        X87Rounding.Up => !negative,
        X87Rounding.Truncate => false,
        _ => null,
    };

    public static void Inexact(bool up, ref X87Environment env)
    {
        env.Raise(X87Exceptions.Precision);
        env.SetCondition1(up);
    }

    private static bool Above(ulong kept, ulong fraction, ulong low, ulong mask)
    {
        if (mask == 0)
            return low > Float80.IntegerBit || (low == Float80.IntegerBit && (kept & 1) != 0);
        ulong half = (mask >> 1) + 1;
        return fraction > half || (fraction == half && (low != 0 || (kept & (mask + 1)) != 0));
    }
}
