using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines;

/// <summary>Takes numbers, texts and bytes out of a chunk's payload.</summary>
/// <remarks>Members throw <see cref="SavedStateException"/> where the payload ends too early.</remarks>
internal ref struct StateReader(ReadOnlySpan<byte> payload)
{
    private const int LongestText = 256;

    private ReadOnlySpan<byte> _rest = payload;

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public UInt128 ReadUInt128() => BinaryPrimitives.ReadUInt128LittleEndian(Take(16));

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadUInt32());

    public string ReadText()
    {
        ReadOnlySpan<byte> bytes = ReadBytes();
        return bytes.Length <= LongestText ? Encoding.UTF8.GetString(bytes) : throw new SavedStateException("The saved machine has a name that is too long.");
    }

    /// <summary>A number of items that each take at least so many bytes: bounded by what is there.</summary>
    public int ReadCount(int itemSize)
    {
        uint count = ReadUInt32();
        return count <= _rest.Length / itemSize ? (int)count : throw new SavedStateException("The saved machine counts more values than it has.");
    }

    public readonly void RequireEnd()
    {
        if (!_rest.IsEmpty)
            throw new SavedStateException("The saved machine has values that are not known here.");
    }

    private ReadOnlySpan<byte> Take(uint length)
    {
        if (length > (uint)_rest.Length)
            throw new SavedStateException("The saved machine has a part that ends too early.");
        ReadOnlySpan<byte> taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }
}
