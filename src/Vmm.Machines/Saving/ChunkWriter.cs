using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>Writes a saved machine's preamble and chunks.</summary>
internal sealed class ChunkWriter
{
    private readonly Stream _stream;
    private uint _number;

    public ChunkWriter(Stream stream)
    {
        _stream = stream;
        Span<byte> preamble = stackalloc byte[SavedMachineFormat.PreambleSize];
        SavedMachineFormat.Magic.CopyTo(preamble);
        BinaryPrimitives.WriteUInt32LittleEndian(preamble[8..], SavedMachineFormat.Version);
        BinaryPrimitives.WriteUInt32LittleEndian(preamble[12..], SavedMachineFormat.Checksum(preamble[..12]));
        stream.Write(preamble);
    }

    public void Write(ChunkKind kind, ReadOnlySpan<byte> payload)
    {
        if (payload.Length > SavedMachineFormat.MaximumPayload)
            throw new NotSupportedException($"A part of the machine has {payload.Length} bytes of state; a saved machine holds at most {SavedMachineFormat.MaximumPayload}.");
        Span<byte> header = stackalloc byte[SavedMachineFormat.HeaderSize];
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)kind);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], _number++);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], SavedMachineFormat.Checksum(header[..12], payload));
        _stream.Write(header);
        _stream.Write(payload);
    }
}
