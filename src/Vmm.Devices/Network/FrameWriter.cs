using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>Builds frames from the gateway to the guest, in one buffer used over and over.</summary>
internal sealed class FrameWriter(NetworkReceiver receiver)
{
    /// <summary>The most bytes that an IPv4 packet carries.</summary>
    public const int MostPayload = 1480;

    public const byte Icmp = 1;
    public const byte Tcp = 6;
    public const byte Udp = 17;

    private const int EthernetHeader = 14;
    private const int InternetHeader = 20;
    private const int UdpHeader = 8;

    private readonly byte[] _frame = new byte[VirtioNetwork.LongestFrame];
    private readonly byte[] _guest = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    private ushort _identification;
    private bool _isGuestKnown;

    /// <summary>Where the payload of an IPv4 packet is put before <see cref="SendPacket"/>.</summary>
    public Span<byte> Payload => _frame.AsSpan(EthernetHeader + InternetHeader);

    /// <summary>The guest's hardware address, as its frames showed it.</summary>
    public void SetGuest(ReadOnlySpan<byte> address)
    {
        address.CopyTo(_guest);
        _isGuestKnown = true;
    }

    /// <summary>Answers a request for the gateway's hardware address.</summary>
    public void SendArpReply(ReadOnlySpan<byte> hardware, uint protocol) => SendArp(2, hardware, protocol);

    /// <summary>
    /// Sends what was put into <see cref="Payload"/>; while the guest has not been heard of, asks for its hardware address instead.
    /// </summary>
    public void SendPacket(byte protocol, uint destination, int length)
    {
        if (!_isGuestKnown)
        {
            SendArp(1, [0, 0, 0, 0, 0, 0], destination);
            return;
        }
        StartFrame(0x0800);
        Span<byte> header = _frame.AsSpan(EthernetHeader, InternetHeader);
        header.Clear();
        header[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(InternetHeader + length));
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], _identification++);
        header[8] = 64;
        header[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(header[12..], NetworkAddresses.Gateway);
        BinaryPrimitives.WriteUInt32BigEndian(header[16..], destination);
        BinaryPrimitives.WriteUInt16BigEndian(header[10..], InternetChecksum.Of(header));
        receiver(_frame.AsSpan(0, EthernetHeader + InternetHeader + length));
    }

    /// <summary>Sends a datagram.</summary>
    public void SendDatagram(ushort source, uint destination, ushort destinationPort, ReadOnlySpan<byte> data)
    {
        int length = UdpHeader + data.Length;
        Span<byte> datagram = Payload[..length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, source);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[4..], (ushort)length);
        datagram[6..8].Clear();
        data.CopyTo(datagram[UdpHeader..]);
        uint pseudo = InternetChecksum.PseudoHeader(NetworkAddresses.Gateway, destination, Udp, length);
        ushort checksum = InternetChecksum.Of(datagram, pseudo);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[6..], checksum == 0 ? (ushort)0xFFFF : checksum);
        SendPacket(Udp, destination, length);
    }

    private void SendArp(byte operation, ReadOnlySpan<byte> hardware, uint protocol)
    {
        Span<byte> frame = _frame.AsSpan(0, EthernetHeader + 28);
        StartFrame(0x0806);
        Span<byte> arp = frame[EthernetHeader..];
        ReadOnlySpan<byte> kind = [0, 1, 8, 0, 6, 4, 0, operation];
        kind.CopyTo(arp);
        NetworkAddresses.GatewayHardware.CopyTo(arp[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(arp[14..], NetworkAddresses.Gateway);
        hardware.CopyTo(arp[18..]);
        BinaryPrimitives.WriteUInt32BigEndian(arp[24..], protocol);
        receiver(frame);
    }

    private void StartFrame(ushort type)
    {
        _guest.CopyTo(_frame, 0);
        NetworkAddresses.GatewayHardware.CopyTo(_frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(_frame.AsSpan(12), type);
    }
}
