using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>An IEEE 754 interchange format, its values held in the low bits of a quadword (SDM Vol. 1 4.2.2).</summary>
internal interface IFloatFormat
{
    /// <summary>Bits of the significand that are stored.</summary>
    static abstract int FractionBits { get; }

    /// <summary>Bits of the exponent.</summary>
    static abstract int ExponentBits { get; }
}

/// <summary>Half precision.</summary>
internal readonly struct Binary16 : IFloatFormat
{
    public static int FractionBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 10;
    }

    public static int ExponentBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 5;
    }
}

/// <summary>Single precision.</summary>
internal readonly struct Binary32 : IFloatFormat
{
    public static int FractionBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 23;
    }

    public static int ExponentBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 8;
    }
}

/// <summary>Double precision.</summary>
internal readonly struct Binary64 : IFloatFormat
{
    public static int FractionBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 52;
    }

    public static int ExponentBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 11;
    }
}

/// <summary>Constants and classification of a format.</summary>
internal static class FloatFormat<TFormat>
    where TFormat : struct, IFloatFormat
{
    /// <summary>Bytes of a value.</summary>
    public static int Size
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (TFormat.FractionBits + TFormat.ExponentBits + 1) / 8;
    }

    public static int LargestExponent
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (1 << TFormat.ExponentBits) - 1;
    }

    public static int Bias
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => LargestExponent >> 1;
    }

    public static ulong Sign
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1UL << (TFormat.FractionBits + TFormat.ExponentBits);
    }

    public static ulong Hidden
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1UL << TFormat.FractionBits;
    }

    public static ulong Fraction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Hidden - 1;
    }

    public static ulong Quiet
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Hidden >> 1;
    }

    public static ulong Infinity
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (ulong)LargestExponent << TFormat.FractionBits;
    }

    /// <summary>The "real indefinite": what an invalid operation gives.</summary>
    public static ulong Indefinite
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Sign | Infinity | Quiet;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Magnitude(ulong x) => x & (Sign - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNaN(ulong x) => Magnitude(x) > Infinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSignallingNaN(ulong x) => IsNaN(x) && (x & Quiet) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDenormal(ulong x) => Magnitude(x) - 1 < Fraction;

    /// <summary>Neither zero, denormal, infinite nor a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsNormal(ulong x) => ((x + Hidden) & (Infinity & ~Hidden)) != 0;
}
