using System.Globalization;

namespace Vmm.Debugging.Protocol;

/// <summary>Hexadecimal numbers and bytes of the protocol. Whatever comes in may be wrong: nothing here throws for it.</summary>
internal static class Hex
{
    /// <summary>The value of a digit, or -1.</summary>
    public static int Digit(byte character) => character switch
    {
        >= (byte)'0' and <= (byte)'9' => character - '0',
        >= (byte)'a' and <= (byte)'f' => character - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => character - 'A' + 10,
        _ => -1,
    };

    /// <summary>A number of 1 to 16 digits.</summary>
    public static bool TryNumber(ReadOnlySpan<char> text, out ulong value)
    {
        value = 0;
        return text.Length is > 0 and <= 16 && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Two numbers with a comma between.</summary>
    public static bool TryPair(ReadOnlySpan<char> text, out ulong first, out ulong second)
    {
        int comma = text.IndexOf(',');
        first = second = 0;
        return comma > 0 && TryNumber(text[..comma], out first) && TryNumber(text[(comma + 1)..], out second);
    }

    /// <summary>Bytes, two digits each.</summary>
    public static bool TryBytes(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.Length % 2 != 0)
            return false;
        byte[] result = new byte[text.Length / 2];
        if (Convert.FromHexString(text, result, out _, out int written) != System.Buffers.OperationStatus.Done || written != result.Length)
            return false;
        bytes = result;
        return true;
    }

    /// <summary>Bytes as text.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>Text as the bytes of its characters.</summary>
    public static string Of(string text) => Of(System.Text.Encoding.UTF8.GetBytes(text));
}
