using System.Buffers.Binary;

namespace Vmm.X86.FloatingPoint;

/// <summary>FBLD and FBSTP: 18 packed decimal digits and a sign byte (SDM Vol. 1 4.7).</summary>
public static class X87Decimal
{
    /// <summary>Bytes of the memory format.</summary>
    public const int Size = 10;

    private const ulong Limit = 1_000_000_000_000_000_000;

    /// <summary>Reads ten bytes; digits above nine, which the manual leaves undefined, weigh what their nibble says.</summary>
    public static Float80 FromPacked(ReadOnlySpan<byte> source)
    {
        ulong magnitude = 0;
        for (int i = 8; i >= 0; i--)
            magnitude = (magnitude * 100) + ((ulong)(source[i] >> 4) * 10) + (ulong)(source[i] & 15);
        bool negative = (source[9] & 0x80) != 0;
        Float80 value = X87Conversion.FromInteger((long)magnitude);
        return negative ? value.Negate() : value;
    }

    /// <summary>
    /// Rounds to an integer and writes ten bytes; more than 18 digits is an invalid operation and gives the packed indefinite.
    /// </summary>
    public static void ToPacked(Float80 a, Span<byte> destination, ref X87Environment env)
    {
        if (a.IsUnsupported || a.Exponent == Float80.MaximumExponent
            || !IntegerRounding.TryRound(a, env.Rounding, out ulong magnitude, out bool inexact, out bool up) || magnitude >= Limit)
        {
            env.Raise(X87Exceptions.Invalid);
            BinaryPrimitives.WriteUInt64LittleEndian(destination, 0xC000_0000_0000_0000);
            BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], 0xFFFF);
            return;
        }

        if (inexact)
            RoundedResult.Inexact(up, ref env);
        for (int i = 0; i < 9; i++)
        {
            (magnitude, ulong pair) = Math.DivRem(magnitude, 100);
            destination[i] = (byte)(((pair / 10) << 4) | (pair % 10));
        }

        destination[9] = a.IsNegative ? (byte)0x80 : (byte)0;
    }
}
