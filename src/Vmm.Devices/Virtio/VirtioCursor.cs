namespace Vmm.Devices;

/// <summary>A walk over the memory of a request's buffer: a piece at a time, each continuous in the host's memory.</summary>
public ref struct VirtioCursor
{
    private const int LongestPiece = 1 << 20;

    private readonly DeviceMemory _memory;
    private readonly bool _write;
    private ReadOnlySpan<VirtioSegment> _segments;
    private ulong _inside;
    private ulong _left;
    private ulong _pieceAddress;
    private int _pieceLength;

    internal VirtioCursor(DeviceMemory memory, ReadOnlySpan<VirtioSegment> segments, bool write, ulong offset, ulong length)
    {
        _memory = memory;
        _segments = segments;
        _write = write;
        _inside = offset;
        _left = length;
    }

    /// <summary>Bytes not walked over yet.</summary>
    public readonly ulong Left => _left;

    /// <summary>Takes the next piece, at most 1 MiB.</summary>
    /// <returns>False: at the end (<see cref="Left"/> is 0), or what comes is no memory or outside the buffer.</returns>
    public bool TryNext(out Span<byte> piece)
    {
        piece = default;
        if (_left == 0)
            return false;
        while (!_segments.IsEmpty && _inside >= _segments[0].Length)
        {
            _inside -= _segments[0].Length;
            _segments = _segments[1..];
        }
        if (_segments.IsEmpty)
            return false;
        VirtioSegment segment = _segments[0];
        ulong length = Math.Min(Math.Min(segment.Length - _inside, _left), LongestPiece);
        ulong address = unchecked(segment.Address + _inside);
        if (address < segment.Address || !_memory.TryGetPiece(address, (int)length, _write, out piece))
            return false;
        _pieceAddress = address;
        _pieceLength = piece.Length;
        _inside += (ulong)piece.Length;
        _left -= (ulong)piece.Length;
        return true;
    }

    /// <summary>Tells that the last piece was written.</summary>
    public readonly void NotifyWritten() => _memory.NotifyWritten(_pieceAddress, _pieceLength);
}
