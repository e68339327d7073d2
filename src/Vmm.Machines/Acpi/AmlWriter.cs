namespace Vmm.Machines;

/// <summary>Writes ACPI machine language (ACPI 6.4, chapter 20): the named objects of a definition block, nested by callbacks.</summary>
/// <remarks>Not for several threads at once. Names are given as in ACPI source language and checked.</remarks>
public sealed class AmlWriter
{
    private const byte NameOperator = 0x08;
    private const byte ScopeOperator = 0x10;
    private const byte MethodOperator = 0x14;
    private const byte FirstArgument = 0x68;
    private const byte StoreOperator = 0x70;
    private const byte IfOperator = 0xA0;
    private const byte ReturnOperator = 0xA4;
    private const byte ExtendedPrefix = 0x5B;
    private const byte DeviceOperator = 0x82;
    private const byte DualNamePrefix = 0x2E;
    private const byte MultiNamePrefix = 0x2F;
    private const int LongestLength = 0xFFF_FFFF;

    private List<byte> _bytes = [];

    /// <summary>What has been written.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>Opens a scope: its content is added to an object that exists.</summary>
    /// <param name="path">A path such as <c>\_SB</c>.</param>
    /// <param name="body">Writes the content.</param>
    public void Scope(string path, Action body) => Block([ScopeOperator], NameString(path), body);

    /// <summary>A device.</summary>
    /// <param name="name">Up to four characters.</param>
    /// <param name="body">Writes its objects.</param>
    public void Device(string name, Action body) => Block([ExtendedPrefix, DeviceOperator], NameString(name), body);

    /// <summary>A method.</summary>
    /// <param name="name">Up to four characters.</param>
    /// <param name="argumentCount">0-7.</param>
    /// <param name="body">Writes its statements.</param>
    public void Method(string name, int argumentCount, Action body)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(argumentCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(argumentCount, 7);
        Block([MethodOperator], [.. NameString(name), (byte)argumentCount], body);
    }

    /// <summary>A named value.</summary>
    /// <param name="name">Up to four characters, or a path.</param>
    /// <param name="value">The value.</param>
    public void Name(string name, AmlValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _bytes.Add(NameOperator);
        _bytes.AddRange(NameString(name));
        _bytes.AddRange(value.Encoding);
    }

    /// <summary>A method's statement that stores one of its arguments in a named object.</summary>
    /// <param name="argument">The argument, 0-6.</param>
    /// <param name="path">The object.</param>
    public void StoreArgument(int argument, string path)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(argument);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(argument, 6);
        _bytes.AddRange([StoreOperator, (byte)(FirstArgument + argument)]);
        _bytes.AddRange(NameString(path));
    }

    /// <summary>A method's If statement, on a named integer that is not zero.</summary>
    /// <param name="path">The integer.</param>
    /// <param name="body">Writes the statements.</param>
    public void If(string path, Action body) => Block([IfOperator], NameString(path), body);

    /// <summary>A method's Return statement.</summary>
    public void Return(AmlValue value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _bytes.Add(ReturnOperator);
        _bytes.AddRange(value.Encoding);
    }

    /// <summary>Puts before a package's content its length, which counts itself (ACPI 6.4, 20.2.4).</summary>
    internal static byte[] WithLength(ReadOnlySpan<byte> content)
    {
        if (content.Length + 1 < 0x40)
            return [(byte)(content.Length + 1), .. content];
        int extra = content.Length + 2 < 0x1000 ? 1 : content.Length + 3 < 0x10_0000 ? 2 : 3;
        int length = content.Length + 1 + extra;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LongestLength, nameof(content));
        byte[] result = new byte[length];
        result[0] = (byte)(extra << 6 | (length & 0xF));
        for (int index = 0; index < extra; index++)
            result[1 + index] = (byte)(length >> (4 + 8 * index));
        content.CopyTo(result.AsSpan(1 + extra));
        return result;
    }

    private static byte[] NameString(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        int start = path[0] == '\\' ? 1 : 0;
        while (start < path.Length && path[start] == '^' && path[0] != '\\')
            start++;
        List<byte> bytes = [.. path[..start].Select(letter => (byte)letter)];
        if (start == path.Length)
            return [.. bytes, 0];
        string[] segments = path[start..].Split('.');
        if (segments.Length > byte.MaxValue)
            throw new ArgumentException($"'{path}' has too many parts.", nameof(path));
        if (segments.Length == 2)
            bytes.Add(DualNamePrefix);
        else if (segments.Length > 2)
            bytes.AddRange([MultiNamePrefix, (byte)segments.Length]);
        foreach (string segment in segments)
        {
            bool isName = segment.Length is >= 1 and <= 4 && !char.IsAsciiDigit(segment[0])
                && segment.All(letter => letter == '_' || char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter));
            if (!isName)
                throw new ArgumentException($"'{path}' is not a name: parts have up to four of A-Z, 0-9 and _, not a digit first.", nameof(path));
            bytes.AddRange(segment.PadRight(4, '_').Select(letter => (byte)letter));
        }
        return [.. bytes];
    }

    private void Block(ReadOnlySpan<byte> operation, byte[] head, Action body)
    {
        ArgumentNullException.ThrowIfNull(body);
        List<byte> outer = _bytes;
        outer.AddRange(operation);
        _bytes = [.. head];
        try
        {
            body();
            outer.AddRange(WithLength([.. _bytes]));
        }
        finally
        {
            _bytes = outer;
        }
    }
}
