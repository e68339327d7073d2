using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Vmm.Devices;

/// <summary>
/// The host's side of a forwarded connection: a socket that is read a piece at a time, when asked, and written in order. News is posted to
/// the network's loop.
/// </summary>
internal sealed class HostStream : IDisposable
{
    /// <summary>The most bytes that one piece has.</summary>
    public const int PieceSize = 16 << 10;

    private readonly Socket _socket;
    private readonly NetworkLoop _loop;
    private readonly Channel<byte[]> _output = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true });
    private readonly byte[] _input = new byte[PieceSize];

    public HostStream(Socket socket, NetworkLoop loop)
    {
        _socket = socket;
        _loop = loop;
    }

    /// <summary>A piece was read; empty at the end of the stream.</summary>
    public required Action<ReadOnlyMemory<byte>> Read { get; init; }

    /// <summary>So many bytes were written.</summary>
    public required Action<int> Written { get; init; }

    /// <summary>The socket failed.</summary>
    public required Action Failed { get; init; }

    /// <summary>Connects to a port of the host's loopback interface.</summary>
    public async Task ConnectAsync(ushort port, Action connected)
    {
        try
        {
            await _socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).ConfigureAwait(false);
            _loop.Post(connected);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _loop.Post(Failed);
        }
    }

    /// <summary>Starts to write what is queued.</summary>
    public void Start() => _ = WriteAsync();

    /// <summary>Asks for the next piece; one at a time.</summary>
    public void RequestPiece() => _ = ReadAsync();

    /// <summary>Queues bytes to be written.</summary>
    public void Write(ReadOnlySpan<byte> data) => _output.Writer.TryWrite(data.ToArray());

    /// <summary>Ends the stream after what is queued.</summary>
    public void Finish() => _output.Writer.TryComplete();

    public void Dispose()
    {
        _output.Writer.TryComplete();
        _socket.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            int count = await _socket.ReceiveAsync(_input).ConfigureAwait(false);
            _loop.Post(() => Read(_input.AsMemory(0, count)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _loop.Post(Failed);
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (byte[] data in _output.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                for (int sent = 0; sent < data.Length;)
                    sent += await _socket.SendAsync(data.AsMemory(sent)).ConfigureAwait(false);
                int length = data.Length;
                _loop.Post(() => Written(length));
            }
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            _loop.Post(Failed);
        }
    }
}
