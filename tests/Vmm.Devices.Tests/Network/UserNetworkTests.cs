using System.Net;
using System.Net.Sockets;

namespace Vmm.Devices.Tests;

public sealed class UserNetworkTests
{
    private const int Synchronize = 2;
    private const int Finish = 1;
    private const int Reset = 4;
    private const int Acknowledge = 16;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private static UserNetworkOptions ToHost(ForwardedProtocol protocol, int port, EndPoint? host) =>
        new() { ToHost = [new PortForward(protocol, (ushort)port, (ushort)((IPEndPoint)host!).Port)] };

    private static byte[] ArpRequest(params byte[] target) =>
        [0, 1, 8, 0, 6, 4, 0, 1, .. NetworkGuest.Hardware, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, .. target];

    [Fact]
    public void Gateway_answers_for_its_own_address_only()
    {
        using NetworkGuest guest = new(new UserNetworkOptions());
        guest.SendFrame(0x806, ArpRequest(10, 0, 2, 9));
        guest.SendFrame(0x806, ArpRequest(10, 0, 2, 2));
        byte[] answer = guest.TakeFrame()!;
        answer[..14].Should().Equal([.. NetworkGuest.Hardware, 0x52, 0x55, 10, 0, 2, 2, 8, 6]);
        answer[14..].Should().Equal([0, 1, 8, 0, 6, 4, 0, 2, 0x52, 0x55, 10, 0, 2, 2, 10, 0, 2, 2, .. NetworkGuest.Hardware, 10, 0, 2, 15]);
    }

    [Theory]
    [InlineData(0), InlineData(57), InlineData(1472)]
    public void Echo_comes_back(int length)
    {
        using NetworkGuest guest = new(new UserNetworkOptions());
        byte[] request = [8, 0, 0, 0, 1, 2, 3, 4, .. Enumerable.Range(0, length).Select(value => (byte)value)];
        ushort checksum = NetworkGuest.Checksum(request);
        (request[2], request[3]) = ((byte)(checksum >> 8), (byte)checksum);
        guest.SendPacket(1, request);
        byte[] answer = guest.TakePacket(1);
        NetworkGuest.Checksum(answer).Should().Be(0);
        answer[..2].Should().Equal(0, 0);
        answer[4..].Should().Equal(request[4..]);
    }

    private static byte[] Dhcp(byte kind, params byte[] options)
    {
        byte[] message = new byte[240];
        (message[0], message[1], message[2]) = (1, 1, 6);
        (message[4], message[7]) = (0xAB, 0xCD);
        NetworkGuest.Hardware.CopyTo(message.AsSpan(28));
        return [.. message[..236], 0x63, 0x82, 0x53, 0x63, 53, 1, kind, .. options, 255];
    }

    [Fact]
    public void Address_is_leased()
    {
        using NetworkGuest guest = new(new UserNetworkOptions());
        foreach ((byte[] message, byte answer) in ((byte[], byte)[])
            [(Dhcp(1), 2), (Dhcp(3, 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2), 5), (Dhcp(3, 50, 4, 192, 168, 0, 1), 6)])
        {
            guest.SendDatagram(68, 67, message, 0xFFFF_FFFF, 0);
            byte[] datagram = guest.TakePacket(17, 0xFFFF_FFFF);
            byte[] reply = datagram[8..];
            reply[0].Should().Be(2);
            reply[4..8].Should().Equal(0xAB, 0, 0, 0xCD);
            reply[16..20].Should().Equal(answer == 6 ? [0, 0, 0, 0] : [10, 0, 2, 15]);
            reply[28..34].Should().Equal(NetworkGuest.Hardware.ToArray());
            reply[236..243].Should().Equal(0x63, 0x82, 0x53, 0x63, 53, 1, answer);
        }
    }

    [Fact]
    public async Task Datagrams_reach_the_hosts_port_and_answers_come_back()
    {
        using UdpClient host = new(new IPEndPoint(IPAddress.Loopback, 0));
        using NetworkGuest guest = new(ToHost(ForwardedProtocol.Udp, 53, host.Client.LocalEndPoint));
        guest.SendDatagram(4000, 54, "nobody"u8);
        guest.SendDatagram(4000, 53, "question"u8);
        UdpReceiveResult received = await host.ReceiveAsync().WaitAsync(s_patience);
        received.Buffer.Should().Equal("question"u8.ToArray());
        await host.SendAsync("answer"u8.ToArray(), received.RemoteEndPoint);
        byte[] datagram = guest.TakePacket(17);
        datagram[..4].Should().Equal(0, 53, 4000 >> 8, 4000 & 255);
        datagram[8..].Should().Equal("answer"u8.ToArray());
    }

    [Fact]
    public async Task Guests_connection_carries_bytes_both_ways_and_ends_on_both_sides()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using NetworkGuest guest = new(ToHost(ForwardedProtocol.Tcp, 80, listener.LocalEndpoint));
        guest.SendSegment(5000, 80, 1000, 0, Synchronize);
        NetworkGuest.Segment answer = guest.TakeSegment();
        answer.Flags.Should().Be(Synchronize | Acknowledge);
        answer.Acknowledgment.Should().Be(1001);
        uint next = answer.Sequence + 1;
        guest.SendSegment(5000, 80, 1001, next, Acknowledge);
        using TcpClient host = await listener.AcceptTcpClientAsync().WaitAsync(s_patience);

        guest.SendSegment(5000, 80, 1004, next, Acknowledge, "lo"u8);
        guest.TakeSegment().Acknowledgment.Should().Be(1001, "the first bytes are missing");
        guest.SendSegment(5000, 80, 1001, next, Acknowledge, "hello"u8);
        guest.TakeSegment().Acknowledgment.Should().Be(1006);
        guest.SendSegment(5000, 80, 1001, next, Acknowledge, "hello!"u8);
        guest.TakeSegment().Acknowledgment.Should().Be(1007, "what overlaps is taken once");
        byte[] read = new byte[6];
        await host.GetStream().ReadExactlyAsync(read).AsTask().WaitAsync(s_patience);
        read.Should().Equal("hello!"u8.ToArray());

        await host.GetStream().WriteAsync("answer"u8.ToArray());
        NetworkGuest.Segment data = guest.TakeSegment();
        data.Data.Should().Equal("answer"u8.ToArray());
        data.Sequence.Should().Be(next);
        next += 6;
        guest.SendSegment(5000, 80, 1007, next, Acknowledge | Finish);
        guest.TakeSegment().Acknowledgment.Should().Be(1008);
        (await host.GetStream().ReadAsync(read).AsTask().WaitAsync(s_patience)).Should().Be(0, "the end is passed on");
        host.Close();
        NetworkGuest.Segment end = guest.TakeSegment();
        end.Flags.Should().Be(Finish | Acknowledge);
        guest.SendSegment(5000, 80, 1008, next + 1, Acknowledge);
        guest.SendSegment(5000, 80, 1008, next + 1, Acknowledge);
        NetworkGuest.Segment last = guest.TakeSegment();
        while (last.Flags == end.Flags) // repeated before the acknowledgement came
            last = guest.TakeSegment();
        last.Flags.Should().Be(Reset, "the connection is no more");
    }

    [Fact]
    public async Task Window_of_the_guest_is_respected_and_what_it_lost_is_repeated()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using NetworkGuest guest = new(ToHost(ForwardedProtocol.Tcp, 80, listener.LocalEndpoint));
        guest.SendSegment(5000, 80, 0, 0, Synchronize, window: 100);
        uint next = guest.TakeSegment().Sequence + 1;
        guest.SendSegment(5000, 80, 1, next, Acknowledge, window: 100);
        using TcpClient host = await listener.AcceptTcpClientAsync().WaitAsync(s_patience);
        byte[] sent = [.. Enumerable.Range(0, 250).Select(value => (byte)value)];
        await host.GetStream().WriteAsync(sent);
        guest.TakeSegment().Data.Should().Equal(sent[..100]);
        NetworkGuest.Segment again = guest.TakeSegment();
        again.Sequence.Should().Be(next);
        again.Data.Should().Equal(sent[..100], "it was not acknowledged for a second");
        guest.SendSegment(5000, 80, 1, next + 100, Acknowledge, window: 1000);
        guest.TakeSegment().Data.Should().Equal(sent[100..]);
    }

    [Fact]
    public void Port_that_leads_nowhere_refuses()
    {
        using NetworkGuest guest = new(new UserNetworkOptions());
        guest.SendSegment(5000, 81, 77, 0, Synchronize);
        NetworkGuest.Segment answer = guest.TakeSegment();
        answer.Flags.Should().Be(Reset | Acknowledge);
        answer.Acknowledgment.Should().Be(78);
    }

    [Fact]
    public async Task Program_of_the_host_reaches_the_guests_port()
    {
        using NetworkGuest guest = new(new UserNetworkOptions { ToGuest = [new PortForward(ForwardedProtocol.Tcp, 0, 8000)] });
        using TcpClient host = new();
        await host.ConnectAsync(IPAddress.Loopback, guest.Network.ListeningPorts[0]);
        byte[] search = guest.TakeFrame()!;
        search[..6].Should().OnlyContain(value => value == 0xFF);
        search[14..22].Should().Equal(0, 1, 8, 0, 6, 4, 0, 1);
        search[38..].Should().Equal([10, 0, 2, 15], "it has not been heard of yet");
        guest.SendFrame(0x806, [0, 1, 8, 0, 6, 4, 0, 2, .. NetworkGuest.Hardware, 10, 0, 2, 15, .. search[22..32]]);
        NetworkGuest.Segment question = guest.TakeSegment();
        question.Flags.Should().Be(Synchronize);
        question.To.Should().Be(8000);
        guest.SendSegment(8000, question.From, 500, question.Sequence + 1, Synchronize | Acknowledge);
        guest.TakeSegment().Flags.Should().Be(Acknowledge);
        guest.SendSegment(8000, question.From, 501, question.Sequence + 1, Acknowledge, "welcome"u8);
        byte[] read = new byte[7];
        await host.GetStream().ReadExactlyAsync(read).AsTask().WaitAsync(s_patience);
        read.Should().Equal("welcome"u8.ToArray());
        guest.TakeSegment();
        guest.SendSegment(8000, question.From, 508, question.Sequence + 1, Reset | Acknowledge);
        Func<Task> reading = async () => await host.GetStream().ReadExactlyAsync(read).AsTask().WaitAsync(s_patience);
        await reading.Should().ThrowAsync<IOException>();
    }

    [Fact]
    public void Ways_that_cannot_be_are_refused()
    {
        PortForward way = new(ForwardedProtocol.Tcp, 80, 81);
        ((Action)(() => new UserNetwork(new UserNetworkOptions { ToHost = [way, way with { To = 82 }] }).Dispose()))
            .Should().Throw<ArgumentException>();
        ((Action)(() => new UserNetwork(new UserNetworkOptions { ToGuest = [way with { Protocol = ForwardedProtocol.Udp }] }).Dispose()))
            .Should().Throw<ArgumentException>();
    }

    /// <summary>Random and mutated frames: the gateway lives on and answers.</summary>
    [Fact]
    public void Hostile_frames_are_only_data()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        ushort port = (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
        using NetworkGuest guest = new(new UserNetworkOptions
        {
            ToHost = [new PortForward(ForwardedProtocol.Tcp, 80, port), new PortForward(ForwardedProtocol.Udp, 53, port)],
        });
        for (int round = 0; round < 20_000; round++)
        {
            byte[] data = new byte[random.Next(64)];
            random.NextBytes(data);
            switch (random.Next(5))
            {
                case 0:
                    guest.SendFrame(random.Next(2) == 0 ? 0x800 : 0x806, data);
                    break;
                case 1:
                    guest.SendPacket((byte)random.Next(20), data);
                    break;
                case 2:
                    byte[] message = random.Next(2) == 0 ? Dhcp((byte)random.Next(9), data) : data;
                    guest.SendDatagram(random.Next(0x1_0000), random.Next(2) == 0 ? 67 : 53, message);
                    break;
                default:
                    guest.SendSegment(
                        random.Next(5000, 5004), 80, (uint)random.Next(4), (uint)random.Next(), random.Next(64), data, random.Next(3000));
                    break;
            }
            if (round % 500 == 0)
                Thread.Sleep(1);
        }
        bool isAnswered = false;
        for (int attempt = 0; attempt < 40 && !isAnswered; attempt++)
        {
            guest.SendFrame(0x806, ArpRequest(10, 0, 2, 2));
            while (!isAnswered && guest.TakeFrame(500) is { } frame)
                isAnswered = frame[12] == 8 && frame[13] == 6;
        }
        isAnswered.Should().BeTrue($"the gateway still answers; seed {seed}");
    }
}
