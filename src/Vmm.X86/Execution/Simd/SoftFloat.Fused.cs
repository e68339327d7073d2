using System.Numerics;

namespace Vmm.X86.Execution;

internal static partial class SoftFloat<TFormat>
{
    // Significands of products and of aligned addends have their leading one here, or one above.
    private const int WideLead = 2 * Lead;

    /// <summary>
    /// x * y + z with one rounding (SDM Vol. 1 14.5). Negations apply to the product and to the addend, but never to a NaN that is
    /// passed on.
    /// </summary>
    public static ulong MultiplyAdd(ulong x, ulong y, ulong z, bool negateProduct, bool negateAddend, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(x) || FloatFormat<TFormat>.IsNaN(y) || FloatFormat<TFormat>.IsNaN(z))
            return PropagateFused(x, y, z, ref flags);
        ulong sign = (x ^ y) & FloatFormat<TFormat>.Sign;
        if (negateProduct)
            sign ^= FloatFormat<TFormat>.Sign;
        if (negateAddend)
            z ^= FloatFormat<TFormat>.Sign;
        bool denormal = Denormal(ref x, mxcsr) | Denormal(ref y, mxcsr) | Denormal(ref z, mxcsr);
        ulong a = FloatFormat<TFormat>.Magnitude(x), b = FloatFormat<TFormat>.Magnitude(y), c = FloatFormat<TFormat>.Magnitude(z);
        ulong signZ = z & FloatFormat<TFormat>.Sign;
        bool infinite = a == FloatFormat<TFormat>.Infinity || b == FloatFormat<TFormat>.Infinity;
        if (infinite && (a == 0 || b == 0 || (c == FloatFormat<TFormat>.Infinity && sign != signZ)))
            return Invalid(ref flags);
        if (denormal)
            flags |= MxcsrBits.Denormal;
        if (infinite)
            return sign | FloatFormat<TFormat>.Infinity;
        if (c == FloatFormat<TFormat>.Infinity)
            return z;
        if (a == 0 || b == 0)
            return c != 0 ? Repack(z, mxcsr, ref flags) : sign == signZ ? sign : ZeroSum(mxcsr);
        ulong p = Unpack(a, out int exponentA), q = Unpack(b, out int exponentB);
        UInt128 product = (UInt128)p * q;
        int exponent = exponentA + exponentB;
        if (c == 0)
            return PackWide(sign, exponent, product, mxcsr, ref flags);
        UInt128 addend = (UInt128)Unpack(c, out int exponentC) << Lead;
        return AddWide(sign, exponent, product, signZ, exponentC, addend, mxcsr, ref flags);
    }

    private static ulong AddWide(ulong sign, int exponent, UInt128 product, ulong signZ, int exponentZ, UInt128 addend, uint mxcsr,
        ref uint flags)
    {
        // The low bits of both are zero, so that what alignment shifts out is lost only where one sticky bit can stand for it.
        int apart = exponent - exponentZ;
        if (apart >= 0)
        {
            addend = ShiftRightSticky(addend, apart);
        }
        else
        {
            product = ShiftRightSticky(product, -apart);
            exponent = exponentZ;
        }
        if (sign == signZ)
            return PackWide(sign, exponent, product + addend, mxcsr, ref flags);
        if (product == addend)
            return ZeroSum(mxcsr);
        return product > addend
            ? PackWide(sign, exponent, product - addend, mxcsr, ref flags)
            : PackWide(signZ, exponent, addend - product, mxcsr, ref flags);
    }

    // A value of significand * 2^(exponent - WideLead).
    private static ulong PackWide(ulong sign, int exponent, UInt128 significand, uint mxcsr, ref uint flags)
    {
        int leading = 127 - (int)UInt128.LeadingZeroCount(significand);
        int shift = leading - Lead;
        ulong narrow = shift >= 0 ? (ulong)ShiftRightSticky(significand, shift) : (ulong)significand << -shift;
        return Pack(sign, exponent + leading - WideLead, narrow, mxcsr, ref flags);
    }

    private static UInt128 ShiftRightSticky(UInt128 x, int count)
    {
        if (count == 0)
            return x;
        if (count > 127)
            return x != 0 ? UInt128.One : UInt128.Zero;
        return (x >> count) | (x << (128 - count) != 0 ? UInt128.One : UInt128.Zero);
    }

    // The first NaN of multiplicand, multiplier and addend. Beside a quiet addend infinity times zero is not reported.
    private static ulong PropagateFused(ulong x, ulong y, ulong z, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsSignallingNaN(x) || FloatFormat<TFormat>.IsSignallingNaN(y) || FloatFormat<TFormat>.IsSignallingNaN(z))
            flags |= MxcsrBits.InvalidOperation;
        ulong chosen = FloatFormat<TFormat>.IsNaN(x) ? x : FloatFormat<TFormat>.IsNaN(y) ? y : z;
        return chosen | FloatFormat<TFormat>.Quiet;
    }
}
