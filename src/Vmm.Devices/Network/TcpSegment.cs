using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>A TCP segment (RFC 9293, 3.1).</summary>
internal readonly ref struct TcpSegment
{
    public const byte Finish = 0x01;
    public const byte Synchronize = 0x02;
    public const byte Reset = 0x04;
    public const byte Push = 0x08;
    public const byte Acknowledge = 0x10;
    public const int HeaderSize = 20;

    private TcpSegment(ReadOnlySpan<byte> bytes, int header)
    {
        SourcePort = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        Sequence = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        Acknowledgment = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
        Flags = bytes[13];
        Window = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        Options = bytes[HeaderSize..header];
        Data = bytes[header..];
    }

    public ushort SourcePort { get; }

    public ushort DestinationPort { get; }

    public uint Sequence { get; }

    public uint Acknowledgment { get; }

    public byte Flags { get; }

    public ushort Window { get; }

    public ReadOnlySpan<byte> Options { get; }

    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Sequence numbers that it takes up.</summary>
    public uint Length => (uint)Data.Length + (Has(Synchronize) ? 1u : 0) + (Has(Finish) ? 1u : 0);

    /// <summary>The largest segment that the sender takes; 536 where it does not say.</summary>
    public int MaximumSegment
    {
        get
        {
            ReadOnlySpan<byte> options = Options;
            while (options.Length >= 2 && options[0] != 0)
            {
                int length = options[0] == 1 ? 1 : options[1];
                if (length == 0 || length > options.Length || (length == 1 && options[0] != 1))
                    break;
                if (options[0] == 2 && length == 4)
                    return Math.Max((int)BinaryPrimitives.ReadUInt16BigEndian(options[2..]), 64);
                options = options[length..];
            }
            return 536;
        }
    }

    public bool Has(byte flag) => (Flags & flag) != 0;

    /// <summary>Takes a segment apart, if it is one and undamaged.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, uint source, uint destination, out TcpSegment segment)
    {
        segment = default;
        if (bytes.Length < HeaderSize)
            return false;
        int header = (bytes[12] >> 4) * 4;
        if (header < HeaderSize || header > bytes.Length)
            return false;
        if (InternetChecksum.Of(bytes, InternetChecksum.PseudoHeader(source, destination, FrameWriter.Tcp, bytes.Length)) != 0)
            return false;
        segment = new TcpSegment(bytes, header);
        return true;
    }

    /// <summary>Sends a segment from the gateway.</summary>
    public static void Send(
        FrameWriter writer, in TcpAddress address, uint sequence, uint acknowledgment, byte flags, int window, ReadOnlySpan<byte> data,
        int maximumSegment = 0)
    {
        int header = HeaderSize + (maximumSegment != 0 ? 4 : 0);
        Span<byte> bytes = writer.Payload[..(header + data.Length)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, address.GatewayPort);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], address.GuestPort);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], acknowledgment);
        bytes[12] = (byte)(header / 4 << 4);
        bytes[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[14..], (ushort)Math.Min(window, ushort.MaxValue));
        bytes[16..20].Clear();
        if (maximumSegment != 0)
        {
            bytes[20] = 2;
            bytes[21] = 4;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[22..], (ushort)maximumSegment);
        }
        data.CopyTo(bytes[header..]);
        uint pseudo = InternetChecksum.PseudoHeader(NetworkAddresses.Gateway, address.Guest, FrameWriter.Tcp, bytes.Length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[16..], InternetChecksum.Of(bytes, pseudo));
        writer.SendPacket(FrameWriter.Tcp, address.Guest, bytes.Length);
    }
}
