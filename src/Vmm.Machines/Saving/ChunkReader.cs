using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>
/// Reads a saved machine's preamble and chunks, and believes nothing: one buffer of bounded size, every checksum looked at.
/// </summary>
internal sealed class ChunkReader
{
    private readonly Stream _stream;
    private byte[] _payload = new byte[4096];
    private uint _number;

    /// <exception cref="SavedStateException">It is no saved machine, or of another version.</exception>
    public ChunkReader(Stream stream)
    {
        _stream = stream;
        Span<byte> preamble = stackalloc byte[SavedMachineFormat.PreambleSize];
        if (stream.ReadAtLeast(preamble, preamble.Length, throwOnEndOfStream: false) < preamble.Length
            || !preamble[..8].SequenceEqual(SavedMachineFormat.Magic))
        {
            throw new SavedStateException("It is not a saved machine: it does not begin as one.");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(preamble[12..]) != SavedMachineFormat.Checksum(preamble[..12]))
            throw new SavedStateException("The saved machine is damaged: the checksum of its beginning is wrong.");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(preamble[8..]);
        if (version != SavedMachineFormat.Version)
            throw new SavedStateException($"The saved machine is of format version {version}; known here is version {SavedMachineFormat.Version}.");
    }

    /// <summary>Reads the next chunk; its payload stands until the next call.</summary>
    /// <exception cref="SavedStateException">The file is cut short or damaged.</exception>
    public ChunkKind Read(out ReadOnlyMemory<byte> payload)
    {
        Span<byte> header = stackalloc byte[SavedMachineFormat.HeaderSize];
        Fill(header);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (length > SavedMachineFormat.MaximumPayload)
            throw Damaged($"has {length} bytes, more than a part can have");
        if (length > _payload.Length)
            _payload = new byte[Math.Min(Math.Max(length, 2 * (uint)_payload.Length), SavedMachineFormat.MaximumPayload)];
        Span<byte> data = _payload.AsSpan(0, (int)length);
        Fill(data);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[12..]) != SavedMachineFormat.Checksum(header[..12], data))
            throw Damaged("has a wrong checksum");
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) != _number)
            throw Damaged("is out of order");
        _number++;
        payload = _payload.AsMemory(0, (int)length);
        return (ChunkKind)BinaryPrimitives.ReadUInt32LittleEndian(header);
    }

    /// <summary>Sees to it that nothing follows.</summary>
    public void RequireEnd()
    {
        Span<byte> one = stackalloc byte[1];
        if (_stream.Read(one) != 0)
            throw new SavedStateException("The saved machine is damaged: there is more after its end.");
    }

    private void Fill(Span<byte> bytes)
    {
        if (_stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new SavedStateException($"The saved machine is cut short: it ends within its part {_number}.");
    }

    private SavedStateException Damaged(string what) => new($"The saved machine is damaged: its part {_number} {what}.");
}
