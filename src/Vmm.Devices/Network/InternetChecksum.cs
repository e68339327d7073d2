using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>The checksum of the Internet protocols (RFC 1071).</summary>
internal static class InternetChecksum
{
    /// <summary>The checksum of some bytes: 0 where they hold a right one themselves.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="sum">What was summed up before.</param>
    public static ushort Of(ReadOnlySpan<byte> data, uint sum = 0)
    {
        ulong total = sum;
        for (; data.Length >= 2; data = data[2..])
            total += BinaryPrimitives.ReadUInt16BigEndian(data);
        if (!data.IsEmpty)
            total += (uint)data[0] << 8;
        while (total >> 16 != 0)
            total = (total & 0xFFFF) + (total >> 16);
        return (ushort)~total;
    }

    /// <summary>The sum of the pseudo-header of TCP and UDP.</summary>
    public static uint PseudoHeader(uint source, uint destination, byte protocol, int length) =>
        (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF) + protocol + (uint)length;
}
