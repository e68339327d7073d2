using System.Buffers.Binary;
using System.IO.Compression;

namespace Vmm.Machines;

/// <summary>RAM as chunks: a mebibyte at a time, without the pages that are zero, compressed.</summary>
internal static class MemoryPieces
{
    private const int Quality = 1;
    private const int Window = 20;

    /// <summary>Writes the pages that are not zero.</summary>
    public static void Write(ChunkWriter chunks, GuestMemory memory, IProgress<SaveProgress>? progress, CancellationToken cancellationToken)
    {
        byte[] pages = new byte[SavedMachineFormat.PieceSize];
        byte[] payload = new byte[SavedMachineFormat.PieceHeaderSize + BrotliEncoder.GetMaxCompressedLength(SavedMachineFormat.PieceSize)];
        for (ulong offset = 0; offset < memory.Length; offset += SavedMachineFormat.PieceSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int length = (int)Math.Min(SavedMachineFormat.PieceSize, memory.Length - offset);
            payload.AsSpan(0, SavedMachineFormat.PieceHeaderSize).Clear();
            int used = Collect(memory.GetSpan(offset, length), pages, payload.AsSpan(8));
            if (used != 0)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(payload, offset);
                int size = Compress(pages.AsSpan(0, used), payload);
                chunks.Write(ChunkKind.Memory, payload.AsSpan(0, SavedMachineFormat.PieceHeaderSize + size));
            }
            progress?.Report(new(offset + (ulong)length, memory.Length));
        }
    }

    /// <summary>Puts a chunk's pages into RAM.</summary>
    /// <param name="payload">The chunk.</param>
    /// <param name="memory">RAM, zero where no chunk has been.</param>
    /// <param name="pages">Room for <see cref="SavedMachineFormat.PieceSize"/> bytes.</param>
    /// <param name="next">The lowest offset that may come; moved on.</param>
    /// <exception cref="SavedStateException">The chunk is not what it should be.</exception>
    public static void Read(ReadOnlySpan<byte> payload, GuestMemory memory, byte[] pages, ref ulong next)
    {
        if (payload.Length < SavedMachineFormat.PieceHeaderSize)
            throw Damaged("is too short");
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        if (offset % SavedMachineFormat.PieceSize != 0 || offset < next || offset >= memory.Length)
            throw Damaged($"at 0x{offset:X} is not where RAM is, or out of order");
        next = offset + SavedMachineFormat.PieceSize;
        ReadOnlySpan<byte> bitmap = payload.Slice(8, SavedMachineFormat.PagesPerPiece / 8);
        int count = 0;
        foreach (byte bits in bitmap)
            count += byte.PopCount(bits);
        Span<byte> content = pages.AsSpan(0, count * SavedMachineFormat.PageSize);
        ReadOnlySpan<byte> data = payload[SavedMachineFormat.PieceHeaderSize..];
        switch (payload[SavedMachineFormat.PieceHeaderSize - 1])
        {
            case SavedMachineFormat.Stored when data.Length == content.Length:
                data.CopyTo(content);
                break;
            case SavedMachineFormat.Brotli when BrotliDecoder.TryDecompress(data, content, out int written) && written == content.Length:
                break;
            default:
                throw Damaged($"at 0x{offset:X} cannot be unpacked");
        }
        for (int page = 0; page < SavedMachineFormat.PagesPerPiece; page++)
        {
            if ((bitmap[page / 8] >> (page % 8) & 1) == 0)
                continue;
            ulong at = offset + (ulong)(page * SavedMachineFormat.PageSize);
            if (at >= memory.Length)
                throw Damaged($"at 0x{at:X} is past the end of RAM");
            memory.Write(at, content[..SavedMachineFormat.PageSize]);
            content = content[SavedMachineFormat.PageSize..];
        }
    }

    private static int Collect(ReadOnlySpan<byte> source, byte[] pages, Span<byte> bitmap)
    {
        int used = 0;
        for (int page = 0; page * SavedMachineFormat.PageSize < source.Length; page++)
        {
            ReadOnlySpan<byte> content = source.Slice(page * SavedMachineFormat.PageSize, SavedMachineFormat.PageSize);
            if (content.IndexOfAnyExcept((byte)0) < 0)
                continue;
            bitmap[page / 8] |= (byte)(1 << (page % 8));
            content.CopyTo(pages.AsSpan(used));
            used += SavedMachineFormat.PageSize;
        }
        return used;
    }

    private static int Compress(ReadOnlySpan<byte> pages, byte[] payload)
    {
        Span<byte> target = payload.AsSpan(SavedMachineFormat.PieceHeaderSize);
        ref byte method = ref payload[SavedMachineFormat.PieceHeaderSize - 1];
        if (BrotliEncoder.TryCompress(pages, target, out int written, Quality, Window) && written < pages.Length)
        {
            method = SavedMachineFormat.Brotli;
            return written;
        }
        method = SavedMachineFormat.Stored;
        pages.CopyTo(target);
        return pages.Length;
    }

    private static SavedStateException Damaged(string what) => new($"The saved machine is damaged: its memory {what}.");
}
