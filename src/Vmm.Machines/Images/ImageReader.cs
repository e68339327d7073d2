using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>Reads little-endian fields of an image, every one checked against its end.</summary>
internal readonly ref struct ImageReader(ReadOnlySpan<byte> data, Placement placement)
{
    private readonly ReadOnlySpan<byte> _data = data;

    public ulong Length => (ulong)_data.Length;

    public byte Byte(ulong offset, string what) => Slice(offset, 1, what)[0];

    public ushort UInt16(ulong offset, string what) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2, what));

    public uint UInt32(ulong offset, string what) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4, what));

    public ulong UInt64(ulong offset, string what) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8, what));

    public ReadOnlySpan<byte> Slice(ulong offset, ulong length, string what)
    {
        if (offset > Length || length > Length - offset)
        {
            throw placement.Refuse(
                $"{what} (offset 0x{offset:X}, {length} bytes) reaches beyond the image's {Length} bytes",
                "The image is truncated or damaged: get it anew");
        }
        return _data.Slice((int)offset, (int)length);
    }
}
