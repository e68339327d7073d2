using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Vmm.X86.FloatingPoint;

/// <summary>
/// A value in the x87 double extended-precision format, bit for bit: a 64-bit significand with explicit integer bit, and sign plus 15-bit
/// exponent (bias 16383). Every encoding is representable, including the unsupported ones (SDM Vol. 1 4.2.2 and 8.2.2).
/// </summary>
/// <remarks>Equality is equality of bits: two NaNs with the same bits are equal, +0 and -0 are not.</remarks>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Float80 : IEquatable<Float80>
{
    internal const ulong IntegerBit = 0x8000_0000_0000_0000;
    internal const ulong QuietBit = 0x4000_0000_0000_0000;
    internal const int Bias = 0x3FFF;
    internal const int MaximumExponent = 0x7FFF;

    /// <summary>The 64-bit significand; bit 63 is the explicit integer bit.</summary>
    public readonly ulong Significand;

    /// <summary>Bit 15 is the sign, bits 14:0 the biased exponent.</summary>
    public readonly ushort SignExponent;

    /// <summary>Makes a value of its two parts; any combination of bits is allowed.</summary>
    public Float80(ulong significand, ushort signExponent)
    {
        Significand = significand;
        SignExponent = signExponent;
    }

    internal Float80(bool negative, int exponent, ulong significand)
    {
        Significand = significand;
        SignExponent = (ushort)(exponent | (negative ? 0x8000 : 0));
    }

    /// <summary>+0.</summary>
    public static Float80 Zero => default;

    /// <summary>+1.0.</summary>
    public static Float80 One => new(IntegerBit, 0x3FFF);

    /// <summary>+infinity.</summary>
    public static Float80 PositiveInfinity => new(IntegerBit, 0x7FFF);

    /// <summary>-infinity.</summary>
    public static Float80 NegativeInfinity => new(IntegerBit, 0xFFFF);

    /// <summary>The real indefinite QNaN, the masked answer to an invalid operation (SDM Vol. 1 4.8.3.7).</summary>
    public static Float80 Indefinite => new(IntegerBit | QuietBit, 0xFFFF);

    /// <summary>The biased exponent, 0 to 0x7FFF.</summary>
    public int Exponent => SignExponent & 0x7FFF;

    /// <summary>The sign bit.</summary>
    public bool IsNegative => (SignExponent & 0x8000) != 0;

    /// <summary>+0 or -0.</summary>
    public bool IsZero => Exponent == 0 && Significand == 0;

    /// <summary>A finite number with the integer bit set and a non-zero exponent.</summary>
    public bool IsNormal => (uint)(Exponent - 1) < 0x7FFE && (long)Significand < 0;

    /// <summary>A denormal or a pseudo-denormal: exponent zero, significand not.</summary>
    public bool IsDenormal => Exponent == 0 && Significand != 0;

    /// <summary>+infinity or -infinity.</summary>
    public bool IsInfinity => Exponent == 0x7FFF && Significand == IntegerBit;

    /// <summary>A quiet or signalling NaN with the integer bit set.</summary>
    public bool IsNaN => Exponent == 0x7FFF && Significand > IntegerBit;

    /// <summary>A signalling NaN.</summary>
    public bool IsSignalingNaN => IsNaN && (Significand & QuietBit) == 0;

    /// <summary>An unnormal, pseudo-infinity or pseudo-NaN: any arithmetic on it is an invalid operation.</summary>
    public bool IsUnsupported => Exponent != 0 && (long)Significand >= 0;

    /// <summary>The same value with the sign bit flipped (FCHS).</summary>
    public Float80 Negate() => new(Significand, (ushort)(SignExponent ^ 0x8000));

    /// <summary>The same value with the sign bit cleared (FABS).</summary>
    public Float80 Abs() => new(Significand, (ushort)(SignExponent & 0x7FFF));

    /// <summary>Reads the ten-byte memory image (little-endian).</summary>
    public static Float80 Read(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(source), BinaryPrimitives.ReadUInt16LittleEndian(source[8..]));

    /// <summary>Writes the ten-byte memory image (little-endian).</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, Significand);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[8..], SignExponent);
    }

    /// <inheritdoc/>
    public bool Equals(Float80 other) => Significand == other.Significand && SignExponent == other.SignExponent;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Float80 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Significand, SignExponent);

    /// <summary>Bitwise equality.</summary>
    public static bool operator ==(Float80 left, Float80 right) => left.Equals(right);

    /// <summary>Bitwise inequality.</summary>
    public static bool operator !=(Float80 left, Float80 right) => !left.Equals(right);

    /// <summary>Sign and exponent, then significand, in hexadecimal: <c>3FFF:8000000000000000</c> is 1.0.</summary>
    public override string ToString() => $"{SignExponent:X4}:{Significand:X16}";

    /// <summary>Normalised exponent and significand of a finite value; a zero gives a zero significand.</summary>
    internal void Normalize(out int exponent, out ulong significand)
    {
        exponent = Exponent;
        significand = Significand;
        if (exponent == 0)
        {
            int shift = System.Numerics.BitOperations.LeadingZeroCount(significand);
            exponent = 1 - shift;
            significand <<= shift & 63;
        }
    }
}
