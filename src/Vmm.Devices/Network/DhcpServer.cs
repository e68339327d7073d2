using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>Tells the guest its address (RFC 2131): always the same one.</summary>
internal static class DhcpServer
{
    public const ushort ServerPort = 67;
    public const ushort ClientPort = 68;

    private const int FixedSize = 236;
    private const uint Cookie = 0x6382_5363;
    private const byte Discover = 1;
    private const byte Offer = 2;
    private const byte Request = 3;
    private const byte Acknowledge = 5;
    private const byte Refuse = 6;
    private const uint LeaseSeconds = 86_400;

    /// <summary>Answers a message; what is none gets no answer.</summary>
    public static void Answer(ReadOnlySpan<byte> message, FrameWriter writer)
    {
        if (message.Length < FixedSize + 4 || message[0] != 1 || message[1] != 1 || message[2] != 6
            || BinaryPrimitives.ReadUInt32BigEndian(message[FixedSize..]) != Cookie)
        {
            return;
        }
        (byte kind, uint wanted, uint server) = ReadOptions(message[(FixedSize + 4)..]);
        if (wanted == 0)
            wanted = BinaryPrimitives.ReadUInt32BigEndian(message[12..]);
        byte answer = kind switch
        {
            Discover => Offer,
            Request when server is not (0 or NetworkAddresses.Gateway) => 0,
            Request => wanted is 0 or NetworkAddresses.Guest ? Acknowledge : Refuse,
            _ => 0,
        };
        if (answer != 0)
            Send(message, answer, writer);
    }

    private static (byte Kind, uint Wanted, uint Server) ReadOptions(ReadOnlySpan<byte> options)
    {
        (byte Kind, uint Wanted, uint Server) found = default;
        while (options.Length >= 2 && options[0] != 255)
        {
            if (options[0] == 0)
            {
                options = options[1..];
                continue;
            }
            int length = options[1];
            if (options.Length < 2 + length)
                break;
            ReadOnlySpan<byte> value = options.Slice(2, length);
            switch (options[0])
            {
                case 53 when length == 1:
                    found.Kind = value[0];
                    break;
                case 50 when length == 4:
                    found.Wanted = BinaryPrimitives.ReadUInt32BigEndian(value);
                    break;
                case 54 when length == 4:
                    found.Server = BinaryPrimitives.ReadUInt32BigEndian(value);
                    break;
            }
            options = options[(2 + length)..];
        }
        return found;
    }

    private static void Send(ReadOnlySpan<byte> message, byte kind, FrameWriter writer)
    {
        Span<byte> answer = stackalloc byte[300];
        answer.Clear();
        // Transaction, flags, relay and hardware address are the client's.
        message[..FixedSize].CopyTo(answer);
        answer[0] = 2;
        answer[12..16].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(answer[16..], kind == Refuse ? 0 : NetworkAddresses.Guest);
        BinaryPrimitives.WriteUInt32BigEndian(answer[20..], NetworkAddresses.Gateway);
        answer[44..FixedSize].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(answer[FixedSize..], Cookie);
        int at = FixedSize + 4;
        Put(answer, ref at, 53, [kind]);
        Put(answer, ref at, 54, NetworkAddresses.Gateway);
        if (kind != Refuse)
        {
            Put(answer, ref at, 51, LeaseSeconds);
            Put(answer, ref at, 1, NetworkAddresses.Mask);
            Put(answer, ref at, 3, NetworkAddresses.Gateway);
        }
        answer[at] = 255;
        writer.SendDatagram(ServerPort, NetworkAddresses.Broadcast, ClientPort, answer);
    }

    private static void Put(Span<byte> answer, ref int at, byte option, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        Put(answer, ref at, option, bytes);
    }

    private static void Put(Span<byte> answer, ref int at, byte option, ReadOnlySpan<byte> value)
    {
        answer[at] = option;
        answer[at + 1] = (byte)value.Length;
        value.CopyTo(answer[(at + 2)..]);
        at += 2 + value.Length;
    }
}
