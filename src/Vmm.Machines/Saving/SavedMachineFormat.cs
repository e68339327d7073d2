using System.Buffers.Binary;
using System.Numerics;

namespace Vmm.Machines;

/// <summary>
/// The form of a saved machine: a preamble, then chunks, each with kind, length, its number, and a CRC-32C of all that. All numbers are
/// little-endian. docs/saved-machine.md describes it.
/// </summary>
internal static class SavedMachineFormat
{
    /// <summary>Version that is written; other versions are refused.</summary>
    public const uint Version = 1;

    /// <summary>Bytes of the preamble: magic, version, CRC-32C of both.</summary>
    public const int PreambleSize = 16;

    /// <summary>Bytes before a chunk's payload: kind, length, number, CRC-32C of these and the payload.</summary>
    public const int HeaderSize = 16;

    /// <summary>Most bytes of a payload.</summary>
    public const int MaximumPayload = 2 << 20;

    /// <summary>Pages that one memory chunk is about.</summary>
    public const int PagesPerPiece = 256;

    /// <summary>Bytes of RAM that one memory chunk is about.</summary>
    public const int PieceSize = PagesPerPiece * PageSize;

    /// <summary>Bytes of a page.</summary>
    public const int PageSize = 4096;

    /// <summary>Before the pages of a memory chunk: offset, bitmap of the pages that follow, method.</summary>
    public const int PieceHeaderSize = 8 + (PagesPerPiece / 8) + 1;

    /// <summary>The pages follow as they are.</summary>
    public const byte Stored = 0;

    /// <summary>The pages follow in one Brotli stream (RFC 7932).</summary>
    public const byte Brotli = 1;

    /// <summary>The first bytes; the last of them ends a listing on a console, and none survives a conversion of line ends.</summary>
    public static ReadOnlySpan<byte> Magic => "VMMSAVE\x1A"u8;

    /// <summary>
    /// CRC-32C (Castagnoli, RFC 3720 B.4), to be continued: begin and end with <see cref="uint.MaxValue"/> and an inversion.
    /// </summary>
    public static uint Accumulate(uint crc, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return crc;
    }

    /// <summary>CRC-32C of two pieces of data, one after the other.</summary>
    public static uint Checksum(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => ~Accumulate(Accumulate(uint.MaxValue, first), second);
}
