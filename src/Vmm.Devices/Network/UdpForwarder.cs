using System.Net;
using System.Net.Sockets;

namespace Vmm.Devices;

/// <summary>
/// Leads the guest's datagrams to ports of the host's loopback interface, and the answers back. Used on the network's loop.
/// </summary>
internal sealed class UdpForwarder(IReadOnlyList<PortForward> ways, FrameWriter writer, NetworkLoop loop) : IDisposable
{
    private const int MostSessions = 64;
    private const int LongestDatagram = 1472;
    private const long IdleMilliseconds = 60_000;

    private readonly Dictionary<(uint Source, ushort From, ushort To), Session> _sessions = [];

    public void Take(uint source, ushort from, ushort to, ReadOnlySpan<byte> data)
    {
        if (!_sessions.TryGetValue((source, from, to), out Session? session))
        {
            foreach (PortForward way in ways)
            {
                if (way.Protocol == ForwardedProtocol.Udp && way.From == to)
                    session = Open(source, from, to, way.To);
            }
            if (session is null)
                return;
        }
        session.LastUse = Environment.TickCount64;
        try
        {
            session.Socket.Send(data);
        }
        catch (SocketException)
        {
            // Nobody listens there, or the host is out of room: a datagram may be lost.
        }
    }

    public void Tick(long now)
    {
        foreach ((var key, Session session) in _sessions)
        {
            if (now - session.LastUse > IdleMilliseconds)
                Close(key, session);
        }
    }

    public void Dispose()
    {
        foreach (Session session in _sessions.Values)
            session.Socket.Dispose();
        _sessions.Clear();
    }

    private Session? Open(uint source, ushort from, ushort to, ushort hostPort)
    {
        if (_sessions.Count >= MostSessions)
        {
            (var oldest, Session idle) = _sessions.MinBy(entry => entry.Value.LastUse);
            Close(oldest, idle);
        }
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.Connect(IPAddress.Loopback, hostPort);
        }
        catch (SocketException)
        {
            socket.Dispose();
            return null;
        }
        Session session = new(socket);
        _sessions.Add((source, from, to), session);
        _ = ReceiveAsync(socket, source, from, to);
        return session;
    }

    private void Close((uint Source, ushort From, ushort To) key, Session session)
    {
        session.Socket.Dispose();
        _sessions.Remove(key);
    }

    private async Task ReceiveAsync(Socket socket, uint source, ushort from, ushort to)
    {
        byte[] buffer = new byte[65_536];
        while (true)
        {
            int count;
            try
            {
                count = await socket.ReceiveAsync(buffer).ConfigureAwait(false);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            if (count > LongestDatagram)
                continue;
            TaskCompletionSource sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
            loop.Post(() =>
            {
                writer.SendDatagram(to, source, from, buffer.AsSpan(0, count));
                sent.SetResult();
            });
            await sent.Task.ConfigureAwait(false);
        }
    }

    private sealed class Session(Socket socket)
    {
        public Socket Socket { get; } = socket;

        public long LastUse { get; set; }
    }
}
