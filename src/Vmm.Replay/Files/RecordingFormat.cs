using System.Buffers.Binary;
using System.Numerics;

namespace Vmm.Replay;

/// <summary>Constants of a recording: a preamble of 16 bytes, then chunks with a header of 20 bytes each.</summary>
internal static class RecordingFormat
{
    public const uint Version = 1;
    public const int PreambleSize = 16;
    public const int HeaderSize = 20;

    /// <summary>The most bytes of a chunk's payload, before compression.</summary>
    public const int MaximumPayload = 2 << 20;

    /// <summary>A chunk of operations is written once it has this many bytes.</summary>
    public const int ChunkGoal = 1 << 20;

    /// <summary>The most bytes of memory in one operation.</summary>
    public const int LongestPiece = 1 << 16;

    /// <summary>The most bytes of guest memory in a recording: what one machine can have.</summary>
    public const ulong MaximumMemory = 1UL << 40;

    public static ReadOnlySpan<byte> Magic => "VMMRECD\x1A"u8;

    /// <summary>CRC-32C of two pieces in a row.</summary>
    public static uint Checksum(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => ~Update(Update(uint.MaxValue, first), second);

    /// <summary>Takes more bytes into a checksum that began as all ones and is inverted at its end.</summary>
    public static uint Update(uint checksum, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (byte value in data)
            checksum = BitOperations.Crc32C(checksum, value);
        return checksum;
    }
}
