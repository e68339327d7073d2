using System.Net;
using System.Net.Sockets;
using Vmm.Debugging.Control;
using Vmm.Debugging.Protocol;

namespace Vmm.Debugging;

/// <summary>
/// A gdb remote stub for any backend. It controls the processors of a partition: a run lets it run them
/// (<see cref="IProcessorController"/>), and debuggers connect one after the other.
/// </summary>
/// <remarks>
/// <para>
/// All processors stop when one does; each is a thread of the debugger. What the backend does not declare
/// (<see cref="Capability.Breakpoints"/>, <see cref="Capability.Watchpoints"/>, <see cref="Capability.SingleStep"/>) is refused, the rest
/// works on every backend. A debugger that detaches or vanishes leaves no points behind and the guest runs on.
/// </para>
/// <para>The protocol has no protection of its own: who can connect owns the guest. Members may be called from any thread.</para>
/// </remarks>
public sealed class GdbServer : IProcessorController, IDisposable
{
    private const int FirstByteMilliseconds = 10_000;
    private const int SendMilliseconds = 10_000;
    private static readonly TimeSpan s_farewell = TimeSpan.FromSeconds(2);

    private readonly DebugTarget _target;
    private readonly Lock _gate = new();
    private TcpListener? _listener;
    private Thread? _acceptor;
    private GdbSession? _session;
    private TcpClient? _client;
    private bool _disposed;

    /// <summary>Makes a stub; nothing listens yet.</summary>
    /// <param name="partition">The guest.</param>
    /// <param name="options">How it behaves; null for the defaults.</param>
    public GdbServer(IPartition partition, GdbServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(partition);
        _target = new DebugTarget(partition, options ?? new GdbServerOptions());
    }

    /// <summary>Listens for debuggers on a thread of its own.</summary>
    /// <param name="endPoint">
    /// Where; port 0 takes a free one. Addresses other than loopback open the guest, and what it can reach, to the network.
    /// </param>
    /// <returns>Where it listens.</returns>
    /// <exception cref="SocketException">The address or port cannot be had.</exception>
    /// <exception cref="InvalidOperationException">It listens already.</exception>
    public IPEndPoint Listen(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_listener is not null)
                throw new InvalidOperationException("It listens already.");
            TcpListener listener = new(endPoint);
            listener.Start(1);
            _listener = listener;
            _acceptor = new Thread(() => Accept(listener)) { IsBackground = true, Name = "vmm debugger" };
            _acceptor.Start();
            return (IPEndPoint)listener.LocalEndpoint;
        }
    }

    /// <summary>Serves one debugger over a stream that is there already, on the calling thread, until it goes.</summary>
    /// <param name="stream">The connection; stays open.</param>
    /// <exception cref="InvalidOperationException">Another debugger is being served.</exception>
    public void Serve(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        GdbSession session = new(stream, _target);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_session is not null)
                throw new InvalidOperationException("Another debugger is being served.");
            _session = session;
        }
        try
        {
            session.Serve();
        }
        finally
        {
            lock (_gate)
                _session = null;
        }
    }

    /// <inheritdoc/>
    public void Begin() => _target.Processors.Begin();

    /// <inheritdoc/>
    public VpExit Run(VirtualProcessorLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return _target.Processors.Run(loop);
    }

    /// <inheritdoc/>
    public void End() => _target.Processors.End();

    /// <summary>Tells the debugger that the guest has ended for good.</summary>
    /// <param name="status">The status that it sees, 0 to 255.</param>
    public void NotifyExited(int status)
    {
        _target.ExitStatus = status & 0xFF;
        lock (_gate)
            _session?.PostExit();
    }

    /// <summary>
    /// Ends the debugger's connection, after it was told of the guest's end, and listens no longer. A guest that still runs goes on without
    /// it.
    /// </summary>
    public void Dispose()
    {
        Thread? acceptor;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _listener?.Dispose();
            _session?.Close();
            acceptor = _acceptor;
        }
        if (acceptor is null || acceptor == Thread.CurrentThread || acceptor.Join(s_farewell))
            return;
        lock (_gate)
            _client?.Dispose();
        acceptor.Join(s_farewell);
    }

    private void Accept(TcpListener listener)
    {
        while (true)
        {
            try
            {
                using TcpClient client = listener.AcceptTcpClient();
                lock (_gate)
                    _client = client;
                client.NoDelay = true;
                client.SendTimeout = SendMilliseconds;
                client.Client.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                using NetworkStream stream = client.GetStream();
                stream.ReadTimeout = FirstByteMilliseconds;
                Serve(stream);
                lock (_gate)
                    _client = null;
            }
            catch (Exception e) when (e is SocketException or IOException or InvalidOperationException)
            {
                // The connection broke, another debugger is served over a stream, or the listener is closed.
                lock (_gate)
                {
                    if (_disposed)
                        return;
                }
            }
        }
    }
}
