namespace Vmm.Devices;

/// <summary>
/// What a driver put into a queue: a readable buffer, then a writable one, each in pieces. Used by one device at a time, over and over.
/// </summary>
public sealed class VirtioRequest
{
    /// <summary>The most pieces that a request may have.</summary>
    public const int MaximumSegments = 1024;

    private readonly DeviceMemory _memory;
    private VirtioSegment[] _segments = new VirtioSegment[32];
    private int _count;
    private int _readableCount;

    internal VirtioRequest(DeviceMemory memory) => _memory = memory;

    /// <summary>Bytes of the readable buffer.</summary>
    public ulong ReadableLength { get; private set; }

    /// <summary>Bytes of the writable buffer.</summary>
    public ulong WritableLength { get; private set; }

    /// <summary>The pieces of the readable buffer.</summary>
    public ReadOnlySpan<VirtioSegment> Readable => _segments.AsSpan(0, _readableCount);

    /// <summary>The pieces of the writable buffer.</summary>
    public ReadOnlySpan<VirtioSegment> Writable => _segments.AsSpan(_readableCount, _count - _readableCount);

    /// <summary>The descriptor it began with.</summary>
    internal ushort Head { get; private set; }

    /// <summary>Copies from the readable buffer.</summary>
    /// <param name="offset">Offset in the buffer.</param>
    /// <param name="destination">Where to; the range lies in the buffer.</param>
    /// <returns>False: the range leaves the buffer, or some of it is no memory.</returns>
    public bool TryRead(ulong offset, Span<byte> destination)
    {
        VirtioCursor cursor = Cursor(false, offset, (ulong)destination.Length);
        while (!destination.IsEmpty)
        {
            if (!cursor.TryNext(out Span<byte> piece))
                return false;
            piece.CopyTo(destination);
            destination = destination[piece.Length..];
        }
        return true;
    }

    /// <summary>Copies into the writable buffer.</summary>
    /// <param name="offset">Offset in the buffer.</param>
    /// <param name="source">What; the range lies in the buffer.</param>
    /// <returns>False: the range leaves the buffer, or some of it is no writable memory.</returns>
    public bool TryWrite(ulong offset, ReadOnlySpan<byte> source)
    {
        VirtioCursor cursor = Cursor(true, offset, (ulong)source.Length);
        while (!source.IsEmpty)
        {
            if (!cursor.TryNext(out Span<byte> piece))
                return false;
            source[..piece.Length].CopyTo(piece);
            cursor.NotifyWritten();
            source = source[piece.Length..];
        }
        return true;
    }

    /// <summary>Walks over the memory of a part of a buffer, piece by piece.</summary>
    /// <param name="writable">The writable buffer, else the readable one.</param>
    /// <param name="offset">Offset in that buffer.</param>
    /// <param name="length">Bytes; what leaves the buffer ends the walk as memory that is none.</param>
    public VirtioCursor Cursor(bool writable, ulong offset, ulong length) =>
        new(_memory, writable ? Writable : Readable, writable, offset, length);

    internal void Begin(ushort head)
    {
        Head = head;
        _count = 0;
        _readableCount = 0;
        ReadableLength = 0;
        WritableLength = 0;
    }

    // False: too many pieces, or a readable one after a writable.
    internal bool TryAdd(VirtioSegment segment, bool writable)
    {
        if (_count == MaximumSegments || (!writable && _count != _readableCount))
            return false;
        if (_count == _segments.Length)
            Array.Resize(ref _segments, _segments.Length * 2);
        _segments[_count++] = segment;
        if (writable)
        {
            WritableLength += segment.Length;
        }
        else
        {
            _readableCount++;
            ReadableLength += segment.Length;
        }
        return true;
    }
}
