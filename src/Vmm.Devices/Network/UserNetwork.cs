using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Vmm.Devices;

/// <summary>
/// A network of two in this process: the guest, 10.0.2.15, and a gateway, 10.0.2.2. The gateway answers ARP, ICMP echo and DHCP, and leads
/// configured ports to the host's loopback interface and back; nothing else of the host, and no other network, can be reached.
/// </summary>
/// <remarks>
/// Needs no privilege. IPv4 without fragments. All its work is done on one task at a time; what the guest sends is only data to it: at most
/// 1024 frames and 64 connections of at most 128 KiB each wait.
/// </remarks>
public sealed class UserNetwork : INetworkLink, IDisposable
{
    private const int EthernetHeader = 14;
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(250);

    private readonly NetworkLoop _loop;
    private readonly List<Socket> _listeners = [];
    private readonly UserNetworkOptions _options;
    private readonly Timer _timer;
    private FrameWriter? _writer;
    private TcpForwarder? _tcp;
    private UdpForwarder? _udp;
    private bool _disposed;

    /// <summary>Makes the network and listens at the host's ports that lead to the guest.</summary>
    /// <param name="options">The ways through it.</param>
    /// <exception cref="ArgumentException">A way leads from a port twice, or UDP shall lead to the guest.</exception>
    /// <exception cref="SocketException">A host's port cannot be listened at: it may be in use.</exception>
    public UserNetwork(UserNetworkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ToGuest.Any(way => way.Protocol != ForwardedProtocol.Tcp))
            throw new ArgumentException("Only TCP leads to the guest.", nameof(options));
        if (options.ToHost.GroupBy(way => (way.Protocol, way.From)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Port {twice.Key.From} leads to two places.", nameof(options));
        _options = options;
        try
        {
            foreach (PortForward way in options.ToGuest)
                _listeners.Add(Listen(way.From));
        }
        catch
        {
            CloseListeners();
            throw;
        }
        _loop = new NetworkLoop(Take);
        _timer = new Timer(_ => _loop.Post(Tick), null, s_tick, s_tick);
    }

    /// <summary>The host's ports that lead to the guest, in the order of the options: where 0 was asked for, the one chosen.</summary>
    public IReadOnlyList<int> ListeningPorts => [.. _listeners.Select(listener => ((IPEndPoint)listener.LocalEndPoint!).Port)];

    /// <inheritdoc/>
    public void Connect(NetworkReceiver receiver)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        _loop.Post(() =>
        {
            if (_writer is not null || _disposed)
                return;
            _writer = new FrameWriter(receiver);
            _tcp = new TcpForwarder(_options.ToHost, _writer, _loop);
            _udp = new UdpForwarder(_options.ToHost, _writer, _loop);
        });
        for (int index = 0; index < _listeners.Count; index++)
            _ = AcceptAsync(_listeners[index], _options.ToGuest[index].To);
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame) => _loop.Post(frame);

    /// <summary>Closes every connection and stops.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        CloseListeners();
        _loop.Post(() =>
        {
            _disposed = true;
            _tcp?.Dispose();
            _udp?.Dispose();
        });
        _loop.Dispose();
    }

    private static Socket Listen(ushort port)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listener.Listen(16);
            return listener;
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw new SocketException(e.ErrorCode, $"{e.Message} (127.0.0.1:{port})");
        }
    }

    private void CloseListeners()
    {
        foreach (Socket listener in _listeners)
            listener.Dispose();
    }

    private async Task AcceptAsync(Socket listener, ushort guestPort)
    {
        try
        {
            while (true)
            {
                Socket socket = await listener.AcceptAsync().ConfigureAwait(false);
                _loop.Post(() =>
                {
                    if (_disposed)
                        socket.Dispose();
                    else
                        _tcp!.Open(socket, guestPort);
                });
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The network was disposed, or the host took the port away.
        }
    }

    private void Tick()
    {
        long now = Environment.TickCount64;
        _tcp?.Tick(now);
        _udp?.Tick(now);
    }

    private void Take(byte[] bytes)
    {
        if (_writer is null || _disposed || bytes.Length < EthernetHeader)
            return;
        ReadOnlySpan<byte> frame = bytes;
        _writer.SetGuest(frame[6..12]);
        ReadOnlySpan<byte> payload = frame[EthernetHeader..];
        switch (BinaryPrimitives.ReadUInt16BigEndian(frame[12..]))
        {
            case 0x0806:
                TakeArp(payload);
                break;
            case 0x0800:
                TakePacket(payload);
                break;
        }
    }

    private void TakeArp(ReadOnlySpan<byte> arp)
    {
        ReadOnlySpan<byte> request = [0, 1, 8, 0, 6, 4, 0, 1];
        if (arp.Length < 28 || !arp.StartsWith(request) || BinaryPrimitives.ReadUInt32BigEndian(arp[24..]) != NetworkAddresses.Gateway)
            return;
        _writer!.SendArpReply(arp[8..14], BinaryPrimitives.ReadUInt32BigEndian(arp[14..]));
    }

    private void TakePacket(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < 20 || packet[0] >> 4 != 4)
            return;
        int header = (packet[0] & 15) * 4;
        int length = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        bool isFragment = (BinaryPrimitives.ReadUInt16BigEndian(packet[6..]) & 0x3FFF) != 0;
        if (header < 20 || length < header || length > packet.Length || isFragment || InternetChecksum.Of(packet[..header]) != 0)
            return;
        uint source = BinaryPrimitives.ReadUInt32BigEndian(packet[12..]);
        uint destination = BinaryPrimitives.ReadUInt32BigEndian(packet[16..]);
        ReadOnlySpan<byte> payload = packet[header..length];
        switch (packet[9])
        {
            case FrameWriter.Icmp when destination == NetworkAddresses.Gateway:
                TakeEcho(source, payload);
                break;
            case FrameWriter.Udp:
                TakeDatagram(source, destination, payload);
                break;
            case FrameWriter.Tcp when destination == NetworkAddresses.Gateway:
                _tcp!.Take(source, payload);
                break;
        }
    }

    private void TakeEcho(uint source, ReadOnlySpan<byte> message)
    {
        if (message.Length < 8 || message.Length > FrameWriter.MostPayload || message[0] != 8 || InternetChecksum.Of(message) != 0)
            return;
        Span<byte> answer = _writer!.Payload[..message.Length];
        message.CopyTo(answer);
        answer[..4].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(answer[2..], InternetChecksum.Of(answer));
        _writer.SendPacket(FrameWriter.Icmp, source, answer.Length);
    }

    private void TakeDatagram(uint source, uint destination, ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < 8)
            return;
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[4..]);
        bool hasChecksum = BinaryPrimitives.ReadUInt16BigEndian(datagram[6..]) != 0;
        if (length < 8 || length > datagram.Length)
            return;
        datagram = datagram[..length];
        uint pseudo = InternetChecksum.PseudoHeader(source, destination, FrameWriter.Udp, length);
        if (hasChecksum && InternetChecksum.Of(datagram, pseudo) != 0)
            return;
        ushort from = BinaryPrimitives.ReadUInt16BigEndian(datagram);
        ushort to = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        if (to == DhcpServer.ServerPort && destination is NetworkAddresses.Gateway or NetworkAddresses.Broadcast)
            DhcpServer.Answer(datagram[8..], _writer!);
        else if (destination == NetworkAddresses.Gateway)
            _udp!.Take(source, from, to, datagram[8..]);
    }
}
