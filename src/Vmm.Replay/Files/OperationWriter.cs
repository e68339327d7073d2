using System.Buffers.Binary;
using System.IO.Compression;

namespace Vmm.Replay;

/// <summary>Collects operations and writes them in chunks. The owner locks.</summary>
internal sealed class OperationWriter : IDisposable
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private byte[] _buffer = new byte[RecordingFormat.ChunkGoal + (RecordingFormat.ChunkGoal >> 1)];
    private int _length;
    private uint _chunks;
    private byte[] _compressed = [];
    private ulong _time;

    public OperationWriter(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        Span<byte> preamble = stackalloc byte[RecordingFormat.PreambleSize];
        RecordingFormat.Magic.CopyTo(preamble);
        BinaryPrimitives.WriteUInt32LittleEndian(preamble[8..], RecordingFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(preamble[12..], RecordingFormat.Checksum(preamble[..12]));
        stream.Write(preamble);
    }

    /// <summary>Begins an operation; its values follow. What came before is whole, and written when it is much.</summary>
    public void Begin(OperationKind kind)
    {
        if (_length >= RecordingFormat.ChunkGoal)
            EndChunk(RecordingChunkKind.Operations);
        Byte((byte)kind);
    }

    /// <summary>Writes what was collected as a chunk.</summary>
    public void EndChunk(RecordingChunkKind kind)
    {
        if (_length == 0 && kind == RecordingChunkKind.Operations)
            return;
        ReadOnlySpan<byte> payload = _buffer.AsSpan(0, _length);
        int most = BrotliEncoder.GetMaxCompressedLength(_length);
        if (_compressed.Length < most)
            _compressed = new byte[most];
        if (BrotliEncoder.TryCompress(payload, _compressed, out int size, 1, 22) && size < _length)
            payload = _compressed.AsSpan(0, size);
        Span<byte> header = stackalloc byte[RecordingFormat.HeaderSize];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)_length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], _chunks++);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], RecordingFormat.Checksum(header[..16], payload));
        _stream.Write(header);
        _stream.Write(payload);
        _length = 0;
    }

    public void Byte(byte value)
    {
        Reserve(1);
        _buffer[_length++] = value;
    }

    public void Flag(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>A number: seven bits a byte, lowest first.</summary>
    public void Number(ulong value)
    {
        Reserve(10);
        for (; value >= 0x80; value >>= 7)
            _buffer[_length++] = (byte)(value | 0x80);
        _buffer[_length++] = (byte)value;
    }

    /// <summary>A moment, as the distance from the one before.</summary>
    public void Time(ulong time)
    {
        Number(time - _time);
        _time = time;
    }

    public void Bytes(ReadOnlySpan<byte> data)
    {
        Number((ulong)data.Length);
        Reserve(data.Length);
        data.CopyTo(_buffer.AsSpan(_length));
        _length += data.Length;
    }

    public void Text(string text) => Bytes(System.Text.Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        if (!_leaveOpen)
            _stream.Dispose();
    }

    public void Flush() => _stream.Flush();

    private void Reserve(int count)
    {
        if (_buffer.Length - _length < count)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
    }
}
