using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines;

/// <summary>A data object of ACPI machine language: integer, string, buffer or package (ACPI 6.4, 20.2.3 and 20.2.5).</summary>
public sealed class AmlValue
{
    private const byte BytePrefix = 0x0A;
    private const byte WordPrefix = 0x0B;
    private const byte DoubleWordPrefix = 0x0C;
    private const byte StringPrefix = 0x0D;
    private const byte QuadWordPrefix = 0x0E;
    private const byte BufferOperator = 0x11;
    private const byte PackageOperator = 0x12;

    private readonly byte[] _encoding;

    private AmlValue(byte[] encoding) => _encoding = encoding;

    /// <summary>The bytes as they stand in a table.</summary>
    public ReadOnlySpan<byte> Encoding => _encoding;

    /// <summary>An integer.</summary>
    public static implicit operator AmlValue(ulong value) => Integer(value);

    /// <summary>A string.</summary>
    public static implicit operator AmlValue(string text) => Text(text);

    /// <summary>An integer, in its shortest form.</summary>
    public static AmlValue Integer(ulong value)
    {
        if (value <= 1)
            return new([(byte)value]);
        if (value <= byte.MaxValue)
            return new([BytePrefix, (byte)value]);
        byte[] bytes = new byte[9];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), value);
        bytes[0] = value <= ushort.MaxValue ? WordPrefix : value <= uint.MaxValue ? DoubleWordPrefix : QuadWordPrefix;
        int size = value <= ushort.MaxValue ? 2 : value <= uint.MaxValue ? 4 : 8;
        return new(bytes[..(1 + size)]);
    }

    /// <summary>A string.</summary>
    /// <param name="text">ASCII characters without NUL.</param>
    /// <exception cref="ArgumentException">It has other characters.</exception>
    public static AmlValue Text(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!Ascii.IsValid(text) || text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException($"'{text}' is not ASCII text.", nameof(text));
        return new([StringPrefix, .. System.Text.Encoding.ASCII.GetBytes(text), 0]);
    }

    /// <summary>A buffer.</summary>
    public static AmlValue Buffer(ReadOnlySpan<byte> content) =>
        new([BufferOperator, .. AmlWriter.WithLength([.. Integer((ulong)content.Length).Encoding, .. content])]);

    /// <summary>A package.</summary>
    /// <param name="elements">At most 255.</param>
    public static AmlValue Package(params ReadOnlySpan<AmlValue> elements)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elements.Length, byte.MaxValue, nameof(elements));
        List<byte> content = [(byte)elements.Length];
        foreach (AmlValue element in elements)
            content.AddRange(element.Encoding);
        return new([PackageOperator, .. AmlWriter.WithLength([.. content])]);
    }

    /// <summary>An EISA identifier such as PNP0A03, compressed into an integer (ACPI 6.4, 19.3.4).</summary>
    /// <param name="identifier">Three capital letters and four hexadecimal digits.</param>
    /// <exception cref="ArgumentException">It is none.</exception>
    public static AmlValue EisaId(string identifier)
    {
        ArgumentNullException.ThrowIfNull(identifier);
        if (identifier.Length != 7 || !identifier.Take(3).All(char.IsAsciiLetterUpper)
            || !ushort.TryParse(identifier.AsSpan(3), System.Globalization.NumberStyles.AllowHexSpecifier, null, out ushort product))
        {
            throw new ArgumentException($"'{identifier}' is not three capital letters and four hexadecimal digits.", nameof(identifier));
        }
        int maker = (identifier[0] - '@') << 10 | (identifier[1] - '@') << 5 | (identifier[2] - '@');
        return Integer(BinaryPrimitives.ReverseEndianness((uint)maker << 16 | product));
    }
}
