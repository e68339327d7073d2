using System.Net.Sockets;
using System.Security.Cryptography;

namespace Vmm.Devices;

/// <summary>The TCP connections between the guest and the host's loopback interface. Used on the network's loop.</summary>
internal sealed class TcpForwarder(IReadOnlyList<PortForward> ways, FrameWriter writer, NetworkLoop loop) : IDisposable
{
    private const int MostConnections = 64;
    private const ushort FirstPort = 0xC000;

    private readonly Dictionary<TcpAddress, TcpConnection> _connections = [];
    private ushort _nextPort = FirstPort;

    public void Take(uint guest, ReadOnlySpan<byte> bytes)
    {
        if (!TcpSegment.TryParse(bytes, guest, NetworkAddresses.Gateway, out TcpSegment segment))
            return;
        TcpAddress address = new(guest, segment.SourcePort, segment.DestinationPort);
        if (_connections.TryGetValue(address, out TcpConnection? connection) && !connection.IsClosed)
        {
            connection.Take(in segment);
            if (connection.IsClosed)
                _connections.Remove(address);
        }
        else if (segment.Flags == TcpSegment.Synchronize && HostPortOf(segment.DestinationPort) is { } port
            && _connections.Count < MostConnections)
        {
            connection = new TcpConnection(address, writer, loop);
            _connections[address] = connection;
            connection.Accept(in segment, port);
        }
        else if (!segment.Has(TcpSegment.Reset))
        {
            Refuse(address, in segment);
        }
    }

    /// <summary>Opens a connection to a port of the guest for a program of the host.</summary>
    public void Open(Socket socket, ushort guestPort)
    {
        for (int attempt = 0; attempt < 0x3000 && _connections.Count < MostConnections; attempt++)
        {
            TcpAddress address = new(NetworkAddresses.Guest, guestPort, _nextPort);
            _nextPort = _nextPort == 0xEFFF ? FirstPort : (ushort)(_nextPort + 1);
            if (_connections.ContainsKey(address) || HostPortOf(address.GatewayPort) is not null)
                continue;
            TcpConnection connection = new(address, writer, loop);
            _connections.Add(address, connection);
            connection.Open(socket);
            return;
        }
        socket.Dispose();
    }

    public void Tick(long now)
    {
        foreach ((TcpAddress address, TcpConnection connection) in _connections)
        {
            connection.Tick(now);
            if (connection.IsClosed)
                _connections.Remove(address);
        }
    }

    public void Dispose()
    {
        foreach (TcpConnection connection in _connections.Values)
            connection.Abort();
        _connections.Clear();
    }

    private ushort? HostPortOf(ushort gatewayPort)
    {
        foreach (PortForward way in ways)
        {
            if (way.Protocol == ForwardedProtocol.Tcp && way.From == gatewayPort)
                return way.To;
        }
        return null;
    }

    // RFC 9293, 3.5.2: a segment to no connection is answered with a reset that fits it.
    private void Refuse(in TcpAddress address, in TcpSegment segment)
    {
        if (segment.Has(TcpSegment.Acknowledge))
        {
            TcpSegment.Send(writer, address, segment.Acknowledgment, 0, TcpSegment.Reset, 0, []);
        }
        else
        {
            uint acknowledgment = segment.Sequence + segment.Length;
            TcpSegment.Send(writer, address, 0, acknowledgment, TcpSegment.Reset | TcpSegment.Acknowledge, 0, []);
        }
    }

    internal static uint NewSequence() => (uint)RandomNumberGenerator.GetInt32(int.MaxValue) << 1;
}
