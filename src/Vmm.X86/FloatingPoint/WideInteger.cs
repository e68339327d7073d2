namespace Vmm.X86.FloatingPoint;

/// <summary>The integer steps wider than a register that division and the square root need.</summary>
internal static class WideInteger
{
    /// <summary>(high:low) / divisor; <paramref name="high"/> must be below the divisor and the divisor's top bit set.</summary>
    public static ulong Divide(ulong high, ulong low, ulong divisor, out ulong remainder)
    {
        ulong upper = Digit(ref high, (uint)(low >> 32), divisor);
        ulong lower = Digit(ref high, (uint)low, divisor);
        remainder = high;
        return (upper << 32) | lower;
    }

    /// <summary>The square root of (high:low), rounded down, with the remainder's relation to it; high must be at least 2^62.</summary>
    /// <param name="high">Upper half.</param>
    /// <param name="low">Lower half.</param>
    /// <param name="remainder">The 128-bit number minus the square of the root.</param>
    public static ulong SquareRoot(ulong high, ulong low, out UInt128 remainder)
    {
        UInt128 value = new(high, low);
        double estimate = Math.Sqrt(high) * 4294967296.0;
        ulong root = estimate >= 18446744073709551615.0 ? ulong.MaxValue : (ulong)estimate;
        root |= Float80.IntegerBit;
        // One Newton step takes 52 good bits to all 64, give or take one.
        if (high < root)
        {
            ulong quotient = Divide(high, low, root, out _);
            root = (root >> 1) + (quotient >> 1) + (root & quotient & 1);
        }

        while (Square(root) > value)
            root--;
        while (root != ulong.MaxValue && Square(root + 1) <= value)
            root++;
        remainder = value - Square(root);
        return root;
    }

    private static UInt128 Square(ulong value)
    {
        ulong high = Math.BigMul(value, value, out ulong low);
        return new UInt128(high, low);
    }

    /// <summary>One 32-bit digit of the schoolbook division (Knuth, algorithm D, two digits).</summary>
    private static ulong Digit(ref ulong rest, uint next, ulong divisor)
    {
        ulong divisorHigh = divisor >> 32;
        ulong divisorLow = (uint)divisor;
        ulong quotient = rest / divisorHigh;
        ulong part = rest - (quotient * divisorHigh);
        while (quotient > uint.MaxValue || quotient * divisorLow > ((part << 32) | next))
        {
            quotient--;
            part += divisorHigh;
            if (part > uint.MaxValue)
                break;
        }

        rest = unchecked((rest << 32) + next - (quotient * divisor));
        return quotient;
    }
}
