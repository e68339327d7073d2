using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>Numbers that follow from a seed (SplitMix64), for runs that repeat; for no secret.</summary>
internal sealed class SeededEntropy(ulong seed)
{
    private ulong _state = seed;

    public void Fill(Span<byte> destination)
    {
        Span<byte> piece = stackalloc byte[8];
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(piece, Next());
            int length = Math.Min(8, destination.Length);
            piece[..length].CopyTo(destination);
            destination = destination[length..];
        }
    }

    private ulong Next()
    {
        ulong value = _state += 0x9E37_79B9_7F4A_7C15;
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
