using System.Buffers.Binary;
using System.IO.Compression;

namespace Vmm.Replay;

/// <summary>
/// Reads a recording's chunks and their values, and believes nothing: buffers of bounded size, every checksum and length looked at.
/// </summary>
internal sealed class OperationReader
{
    private readonly Stream _stream;
    private byte[] _payload = new byte[4096];
    private byte[] _buffer = [];
    private int _length;
    private int _position;
    private uint _chunks;
    private ulong _time;

    /// <exception cref="RecordingException">It is no recording, or of another version.</exception>
    public OperationReader(Stream stream)
    {
        _stream = stream;
        Span<byte> preamble = stackalloc byte[RecordingFormat.PreambleSize];
        if (stream.ReadAtLeast(preamble, preamble.Length, throwOnEndOfStream: false) < preamble.Length
            || !preamble[..8].SequenceEqual(RecordingFormat.Magic))
        {
            throw new RecordingException("It is not a recording: it does not begin as one.");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(preamble[12..]) != RecordingFormat.Checksum(preamble[..12]))
            throw new RecordingException("The recording is damaged: the checksum of its beginning is wrong.");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(preamble[8..]);
        if (version != RecordingFormat.Version)
            throw new RecordingException($"The recording is of format version {version}; known here is version {RecordingFormat.Version}.");
    }

    /// <summary>All values of the chunk have been read.</summary>
    public bool IsAtEnd => _position == _length;

    /// <summary>Reads the next chunk; its values are read one by one then.</summary>
    /// <exception cref="RecordingException">The file is cut short or damaged.</exception>
    public RecordingChunkKind ReadChunk()
    {
        Span<byte> header = stackalloc byte[RecordingFormat.HeaderSize];
        Fill(header);
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        if (stored > RecordingFormat.MaximumPayload || length > RecordingFormat.MaximumPayload || stored > length)
            throw Damaged("has an impossible length");
        if (stored > _payload.Length)
            _payload = new byte[Math.Min(2 * stored, RecordingFormat.MaximumPayload)];
        Span<byte> data = _payload.AsSpan(0, (int)stored);
        Fill(data);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[16..]) != RecordingFormat.Checksum(header[..16], data))
            throw Damaged("has a wrong checksum");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) != _chunks)
            throw Damaged("is out of order");
        if (length > _buffer.Length)
            _buffer = new byte[Math.Min(2 * length, RecordingFormat.MaximumPayload)];
        if (stored == length)
            data.CopyTo(_buffer);
        else if (!BrotliDecoder.TryDecompress(data, _buffer.AsSpan(0, (int)length), out int written) || written != length)
            throw Damaged("cannot be decompressed");
        _chunks++;
        _length = (int)length;
        _position = 0;
        return (RecordingChunkKind)BinaryPrimitives.ReadUInt32LittleEndian(header);
    }

    /// <summary>Sees to it that nothing follows.</summary>
    public void RequireEnd()
    {
        Span<byte> one = stackalloc byte[1];
        if (_stream.Read(one) != 0)
            throw new RecordingException("The recording is damaged: there is more after its end.");
    }

    /// <summary>Leaves what is left of the chunk.</summary>
    public void Skip() => _position = _length;

    public byte Byte() => _position < _length ? _buffer[_position++] : throw Damaged("ends within a value");

    public bool Flag() => Byte() != 0;

    public ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if ((next & 0x80) == 0)
                return value;
        }
        throw Damaged("has a number that is too long");
    }

    /// <summary>A number up to a limit.</summary>
    public int Small(int most)
    {
        ulong value = Number();
        return value <= (ulong)most ? (int)value : throw Damaged($"has {value} where at most {most} can be");
    }

    public ulong Time() => _time = unchecked(_time + Number());

    /// <summary>Bytes; they stand until the next chunk is read.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        int length = Small(_length - _position);
        ReadOnlySpan<byte> data = _buffer.AsSpan(_position, length);
        _position += length;
        return data;
    }

    public string Text() => System.Text.Encoding.UTF8.GetString(Bytes());

    public RecordingException Damaged(string what) => new($"The recording is damaged: its part {_chunks} {what}.");

    private void Fill(Span<byte> bytes)
    {
        if (_stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new RecordingException($"The recording is cut short: it ends within its part {_chunks}.");
    }
}
