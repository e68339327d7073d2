namespace Vmm.Machines;

/// <summary>A stream that reads from memory without a copy, and then zeros.</summary>
internal sealed class ZeroTailedStream(ReadOnlyMemory<byte> content, int tailLength) : Stream
{
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => (long)content.Length + tailLength;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException("The stream reads forward only.");
    }

    /// <summary>Whether the zeros have been read to their end.</summary>
    public bool IsUsedUp => _position == Length;

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        int count = (int)Math.Min(buffer.Length, Length - _position);
        int copied = (int)Math.Clamp(content.Length - _position, 0, count);
        if (copied > 0)
            content.Span.Slice((int)_position, copied).CopyTo(buffer);
        buffer[copied..count].Clear();
        _position += count;
        return count;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("The stream reads forward only.");

    public override void SetLength(long value) => throw new NotSupportedException("The stream is read-only.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("The stream is read-only.");
}
