using System.Buffers.Binary;

namespace Vmm.Differential.Native;

/// <summary>The smallest static program file there is: one header, one loadable segment that may be read, written and executed.</summary>
internal static class ElfImage
{
    /// <param name="address">Where the file's first byte is loaded.</param>
    /// <param name="entry">Offset of the code, where it is also entered.</param>
    /// <param name="code">The code.</param>
    /// <param name="length">Bytes of memory; what the file does not fill is zero.</param>
    public static byte[] Build(ulong address, int entry, ReadOnlySpan<byte> code, int length)
    {
        const int HeaderLength = 64, ProgramHeaderLength = 56;
        byte[] file = new byte[entry + code.Length];
        Span<byte> header = file;
        "\u007fELF"u8.CopyTo(header);
        header[4] = 2; // 64 bits
        header[5] = 1; // little-endian
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2); // executable
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62); // x86-64
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], address + (ulong)entry);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], HeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], ProgramHeaderLength);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);
        Span<byte> segment = header[HeaderLength..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1); // loadable
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 7);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 4096);
        code.CopyTo(header[entry..]);
        return file;
    }
}
