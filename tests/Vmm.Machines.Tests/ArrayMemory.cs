using System.Buffers.Binary;

namespace Vmm.Machines.Tests;

/// <summary>Guest memory in an array: refuses whatever is not RAM, as a mapping would.</summary>
internal sealed class ArrayMemory : IBootMemory
{
    private readonly byte[] _bytes;

    public ArrayMemory(ulong size = 64 << 20, bool dirty = false)
    {
        Map = new MemoryMap(size);
        _bytes = new byte[Map.Low];
        if (dirty)
            Array.Fill(_bytes, (byte)0xCC);
    }

    public MemoryMap Map { get; }

    public ulong AcpiRootPointer { get; init; }

    public void Write(ulong address, ReadOnlySpan<byte> data) => data.CopyTo(_bytes.AsSpan(checked((int)address), data.Length));

    public void Clear(ulong address, ulong length) => _bytes.AsSpan(checked((int)address), checked((int)length)).Clear();

    public ReadOnlySpan<byte> Bytes(ulong address, int length) => _bytes.AsSpan(checked((int)address), length);

    public uint UInt32(ulong address) => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(address, 4));

    public ulong UInt64(ulong address) => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(address, 8));

    public string Text(ulong address)
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan(checked((int)address));
        return System.Text.Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
