using System.Globalization;

namespace Vmm.Tool;

/// <summary>Sizes and numbers as people write them: 256M, 4G, 0x1000.</summary>
internal static class MemorySize
{
    /// <summary>Parses a size in bytes with an optional suffix K, M, G or T.</summary>
    /// <exception cref="UsageException">It is no size, or too large.</exception>
    public static ulong Parse(string text, string option)
    {
        string digits = text;
        int shift = 0;
        if (text.Length > 0 && !text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            shift = char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
            if (shift != 0)
                digits = text[..^1];
        }
        if (!TryNumber(digits, out ulong value) || (value << shift) >> shift != value)
            throw new UsageException($"{option} '{text}' is no size: write a number with an optional K, M, G or T, such as 256M.");
        return value << shift;
    }

    /// <summary>Parses a decimal or 0x-number.</summary>
    /// <exception cref="UsageException">It is no number up to <paramref name="maximum"/>.</exception>
    public static ulong ParseNumber(string text, ulong maximum, string option)
    {
        if (!TryNumber(text, out ulong value) || value > maximum)
            throw new UsageException($"{option} '{text}' is no number from 0 to 0x{maximum:X}.");
        return value;
    }

    private static bool TryNumber(string text, out ulong value) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
