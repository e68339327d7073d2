using System.Buffers.Binary;
using System.Collections.Concurrent;

namespace Vmm.Devices.Tests;

/// <summary>A guest on a <see cref="UserNetwork"/>, with a protocol stack of its own that is just enough to test the other one.</summary>
internal sealed class NetworkGuest : IDisposable
{
    public const uint Address = 0x0A00_020F;
    public const uint Gateway = 0x0A00_0202;

    private static readonly byte[] s_hardware = [2, 0, 0, 0, 0, 7];
    private readonly BlockingCollection<byte[]> _frames = [];

    public NetworkGuest(UserNetworkOptions options)
    {
        Network = new UserNetwork(options);
        Network.Connect(frame => _frames.Add(frame.ToArray()));
    }

    public UserNetwork Network { get; }

    public static ReadOnlySpan<byte> Hardware => s_hardware;

    public static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int index = 0; index < data.Length; index++)
            sum += (uint)data[index] << ((index & 1) == 0 ? 8 : 0);
        while (sum > 0xFFFF)
            sum = (sum >> 16) + (sum & 0xFFFF);
        return (ushort)~sum;
    }

    /// <summary>The checksum of a TCP segment or a datagram with its pseudo-header.</summary>
    public static ushort Checksum(uint source, uint destination, byte protocol, ReadOnlySpan<byte> payload)
    {
        byte[] whole = new byte[12 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(whole, source);
        BinaryPrimitives.WriteUInt32BigEndian(whole.AsSpan(4), destination);
        whole[9] = protocol;
        BinaryPrimitives.WriteUInt16BigEndian(whole.AsSpan(10), (ushort)payload.Length);
        payload.CopyTo(whole.AsSpan(12));
        return Checksum(whole);
    }

    public void SendFrame(int type, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[14 + payload.Length];
        frame.AsSpan(0, 6).Fill(0xFF);
        s_hardware.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), (ushort)type);
        payload.CopyTo(frame.AsSpan(14));
        Network.Send(frame);
    }

    public void SendPacket(byte protocol, ReadOnlySpan<byte> payload, uint destination = Gateway, uint source = Address)
    {
        byte[] packet = new byte[20 + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        packet[8] = 64;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), source);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), destination);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), Checksum(packet.AsSpan(0, 20)));
        payload.CopyTo(packet.AsSpan(20));
        SendFrame(0x800, packet);
    }

    public void SendDatagram(int from, int to, ReadOnlySpan<byte> data, uint destination = Gateway, uint source = Address)
    {
        byte[] datagram = new byte[8 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)to);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        data.CopyTo(datagram.AsSpan(8));
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(6), Checksum(source, destination, 17, datagram));
        SendPacket(17, datagram, destination, source);
    }

    public void SendSegment(
        int from, int to, uint sequence, uint acknowledgment, int flags, ReadOnlySpan<byte> data = default, int window = 65535)
    {
        byte[] segment = new byte[20 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), (ushort)to);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgment);
        segment[12] = 0x50;
        segment[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), (ushort)window);
        data.CopyTo(segment.AsSpan(20));
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(16), Checksum(Address, Gateway, 6, segment));
        SendPacket(6, segment);
    }

    /// <summary>The next frame; null when none comes.</summary>
    public byte[]? TakeFrame(int milliseconds = 20_000) => _frames.TryTake(out byte[]? frame, milliseconds) ? frame : null;

    /// <summary>The payload of the next frame, which must be an undamaged packet from the gateway.</summary>
    public byte[] TakePacket(byte protocol, uint destination = Address)
    {
        byte[] frame = TakeFrame() ?? throw new TimeoutException("No packet came.");
        frame.AsSpan(0, 6).SequenceEqual(s_hardware).Should().BeTrue("it is addressed to who asked");
        BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)).Should().Be(0x800);
        byte[] packet = frame[14..];
        packet[0].Should().Be(0x45);
        Checksum(packet.AsSpan(0, 20)).Should().Be(0);
        packet[9].Should().Be(protocol);
        BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(2)).Should().Be((ushort)packet.Length);
        BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(12)).Should().Be(Gateway);
        BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(16)).Should().Be(destination);
        byte[] payload = packet[20..];
        if (protocol != 1)
            Checksum(Gateway, destination, protocol, payload).Should().Be(0);
        return payload;
    }

    public Segment TakeSegment()
    {
        byte[] bytes = TakePacket(6);
        int header = (bytes[12] >> 4) * 4;
        return new Segment(
            BinaryPrimitives.ReadUInt16BigEndian(bytes), BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)),
            BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4)), BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(8)), bytes[13],
            bytes[header..]);
    }

    public void Dispose()
    {
        Network.Dispose();
        _frames.Dispose();
    }

    public sealed record Segment(int From, int To, uint Sequence, uint Acknowledgment, byte Flags, byte[] Data);
}
