namespace Vmm.X86.Execution;

internal static partial class SoftFloat<TFormat>
{
    /// <summary>a + b.</summary>
    public static ulong Add(ulong a, ulong b, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
            return Propagate(a, b, ref flags);
        return AddFinite(a, b, mxcsr, ref flags);
    }

    /// <summary>a - b.</summary>
    public static ulong Subtract(ulong a, ulong b, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
            return Propagate(a, b, ref flags);
        return AddFinite(a, b ^ FloatFormat<TFormat>.Sign, mxcsr, ref flags);
    }

    private static ulong AddFinite(ulong a, ulong b, uint mxcsr, ref uint flags)
    {
        ulong signA = a & FloatFormat<TFormat>.Sign, signB = b & FloatFormat<TFormat>.Sign;
        bool infiniteA = FloatFormat<TFormat>.Magnitude(a) == FloatFormat<TFormat>.Infinity;
        bool infiniteB = FloatFormat<TFormat>.Magnitude(b) == FloatFormat<TFormat>.Infinity;
        if (infiniteA && infiniteB && signA != signB)
            return Invalid(ref flags);
        Denormals(ref a, ref b, mxcsr, ref flags);
        if (infiniteA || infiniteB)
            return infiniteA ? a : b;
        bool zeroA = FloatFormat<TFormat>.Magnitude(a) == 0, zeroB = FloatFormat<TFormat>.Magnitude(b) == 0;
        if (zeroA && zeroB)
            return signA == signB ? a : ZeroSum(mxcsr);
        if (zeroA)
            return Repack(b, mxcsr, ref flags);
        if (zeroB)
            return Repack(a, mxcsr, ref flags);
        ulong x = Unpack(a, out int exponentA), y = Unpack(b, out int exponentB);
        if (exponentA < exponentB || (exponentA == exponentB && x < y))
        {
            (x, y) = (y, x);
            (exponentA, exponentB) = (exponentB, exponentA);
            (signA, signB) = (signB, signA);
        }
        y = ShiftRightSticky(y, exponentA - exponentB);
        if (signA == signB)
        {
            ulong sum = x + y; // at most just below 2^64
            return (sum >> 63) != 0
                ? Pack(signA, exponentA + 1, ShiftRightSticky(sum, 1), mxcsr, ref flags)
                : Pack(signA, exponentA, sum, mxcsr, ref flags);
        }
        ulong difference = x - y;
        if (difference == 0)
            return ZeroSum(mxcsr);
        int shift = System.Numerics.BitOperations.LeadingZeroCount(difference) - 1;
        return Pack(signA, exponentA - shift, difference << shift, mxcsr, ref flags);
    }

    private static ulong ZeroSum(uint mxcsr) =>
        (mxcsr & MxcsrBits.Rounding) == MxcsrBits.RoundDown ? FloatFormat<TFormat>.Sign : 0;

    // A value that is exact already, but may still be a denormal to flush or to report.
    private static ulong Repack(ulong x, uint mxcsr, ref uint flags) =>
        FloatFormat<TFormat>.IsDenormal(x)
            ? Pack(x & FloatFormat<TFormat>.Sign, ExponentOf(x, out ulong significand), significand, mxcsr, ref flags)
            : x;

    private static int ExponentOf(ulong x, out ulong significand)
    {
        significand = Unpack(x, out int exponent);
        return exponent;
    }

    /// <summary>a * b.</summary>
    public static ulong Multiply(ulong a, ulong b, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
            return Propagate(a, b, ref flags);
        ulong sign = (a ^ b) & FloatFormat<TFormat>.Sign;
        uint before = flags;
        Denormals(ref a, ref b, mxcsr, ref flags);
        a = FloatFormat<TFormat>.Magnitude(a);
        b = FloatFormat<TFormat>.Magnitude(b);
        if (a == FloatFormat<TFormat>.Infinity || b == FloatFormat<TFormat>.Infinity)
        {
            if (a != 0 && b != 0)
                return sign | FloatFormat<TFormat>.Infinity;
            flags = before;
            return Invalid(ref flags);
        }
        if (a == 0 || b == 0)
            return sign;
        ulong x = Unpack(a, out int exponentA), y = Unpack(b, out int exponentB);
        ulong high = Math.BigMul(x, y, out ulong low); // leading one at bit 60 or 61 of the high half
        ulong significand = (high << 2) | (low >> 62) | (low << 2 != 0 ? 1UL : 0);
        int exponent = exponentA + exponentB;
        if ((significand >> 63) != 0)
        {
            significand = ShiftRightSticky(significand, 1);
            exponent++;
        }
        return Pack(sign, exponent, significand, mxcsr, ref flags);
    }

    /// <summary>a / b.</summary>
    public static ulong Divide(ulong a, ulong b, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
            return Propagate(a, b, ref flags);
        ulong sign = (a ^ b) & FloatFormat<TFormat>.Sign;
        uint before = flags;
        Denormals(ref a, ref b, mxcsr, ref flags);
        a = FloatFormat<TFormat>.Magnitude(a);
        b = FloatFormat<TFormat>.Magnitude(b);
        if ((a == 0 && b == 0) || (a == FloatFormat<TFormat>.Infinity && b == FloatFormat<TFormat>.Infinity))
        {
            flags = before;
            return Invalid(ref flags);
        }
        if (a == FloatFormat<TFormat>.Infinity)
            return sign | FloatFormat<TFormat>.Infinity;
        if (b == FloatFormat<TFormat>.Infinity)
            return sign;
        if (b == 0)
        {
            flags = before | MxcsrBits.DivideByZero; // which has priority over a denormal dividend
            return sign | FloatFormat<TFormat>.Infinity;
        }
        if (a == 0)
            return sign;
        ulong x = Unpack(a, out int exponentA), y = Unpack(b, out int exponentB);
        int exponent = exponentA - exponentB;
        int shift = Lead;
        if (x < y)
        {
            shift++;
            exponent--;
        }
        (UInt128 quotient, UInt128 remainder) = UInt128.DivRem((UInt128)x << shift, y);
        return Pack(sign, exponent, (ulong)quotient | (remainder != 0 ? 1UL : 0), mxcsr, ref flags);
    }

    /// <summary>The square root.</summary>
    public static ulong SquareRoot(ulong a, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a))
            return Propagate(a, a, ref flags);
        bool denormal = Denormal(ref a, mxcsr);
        if (FloatFormat<TFormat>.Magnitude(a) == 0)
            return a;
        if ((a & FloatFormat<TFormat>.Sign) != 0)
            return Invalid(ref flags);
        if (denormal)
            flags |= MxcsrBits.Denormal;
        if (a == FloatFormat<TFormat>.Infinity)
            return a;
        ulong x = Unpack(a, out int exponent);
        if ((exponent & 1) != 0)
        {
            x <<= 1;
            exponent--;
        }
        UInt128 square = (UInt128)x << Lead;
        ulong root = IntegerSquareRoot(square, x);
        return Pack(0, exponent >> 1, root | ((UInt128)root * root != square ? 1UL : 0), mxcsr, ref flags);
    }

    // The host's square root is good to 53 bits; one Newton step then leaves an error of one at most.
    private static ulong IntegerSquareRoot(UInt128 square, ulong x)
    {
        ulong root = (ulong)(Math.Sqrt(x) * (1UL << 31));
        root = (ulong)((root + (square / root)) >> 1);
        while ((UInt128)root * root > square)
            root--;
        while ((UInt128)(root + 1) * (root + 1) <= square)
            root++;
        return root;
    }
}
