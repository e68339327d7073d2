using System.Globalization;

namespace Vmm.Machines;

/// <summary>Sizes and numbers as people write them: 256M, 4G, 0x1000.</summary>
public static class MemorySize
{
    /// <summary>Reads a size in bytes: a decimal number with an optional suffix K, M, G or T (powers of 1024), or a 0x-number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="bytes">The size.</param>
    /// <returns>False where it is no size, or does not fit 64 bits.</returns>
    public static bool TryParse(string text, out ulong bytes)
    {
        ArgumentNullException.ThrowIfNull(text);
        string digits = text;
        int shift = 0;
        if (text.Length > 0 && !text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            shift = char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
            if (shift != 0)
                digits = text[..^1];
        }
        bool isSize = TryParseNumber(digits, out ulong value) && (value << shift) >> shift == value;
        bytes = isSize ? value << shift : 0;
        return isSize;
    }

    /// <summary>Reads a decimal or 0x-number.</summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The number.</param>
    /// <returns>False where it is no number, or does not fit 64 bits.</returns>
    public static bool TryParseNumber(string text, out ulong value)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
