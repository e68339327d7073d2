using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Vmm.Debugging;
using Vmm.Machines;

namespace Vmm.Tool.Run;

/// <summary>The gdb stub of a run: [ADDRESS:]PORT of <c>--gdb</c>.</summary>
internal sealed class DebuggerAttachment : IDisposable
{
    private readonly GdbServer _server;

    private DebuggerAttachment(Machine machine, Action leave)
    {
        _server = new GdbServer(machine.Partition, new GdbServerOptions
        {
            Stopped = machine.SuspendTime,
            Resumed = machine.ResumeTime,
            Killed = () =>
            {
                IsKilled = true;
                leave();
            },
        });
        machine.Controller = _server;
    }

    /// <summary>The debugger ended the guest.</summary>
    public bool IsKilled { get; private set; }

    public static IPEndPoint Parse(string text)
    {
        string port = text;
        IPAddress? address = IPAddress.Loopback;
        int colon = text.LastIndexOf(':');
        if (colon >= 0)
        {
            port = text[(colon + 1)..];
            string host = text[..colon];
            if (host == "localhost")
                address = IPAddress.Loopback;
            else if (!IPAddress.TryParse(host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host, out address))
                address = null;
        }
        return address is not null && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
            ? new IPEndPoint(address, number)
            : throw new UsageException($"--gdb '{text}' must be PORT or ADDRESS:PORT, such as 1234 or 127.0.0.1:1234.");
    }

    /// <summary>Listens, and says so.</summary>
    /// <exception cref="UsageException">The port cannot be had, or the machine cannot be held.</exception>
    public static DebuggerAttachment Open(IPEndPoint endPoint, Machine machine, Action leave, TextWriter error)
    {
        DebuggerAttachment? attachment = null;
        try
        {
            attachment = new DebuggerAttachment(machine, leave);
            IPEndPoint listening = attachment._server.Listen(endPoint);
            error.Write($"vmm: the guest waits for gdb: target remote {listening}\r\n");
            HypervisorCapabilities capabilities = machine.Partition.Capabilities;
            string missing = string.Join(", ", new[] { Capability.Breakpoints, Capability.Watchpoints, Capability.SingleStep }
                .Where(capability => !capabilities.Has(capability)).Select(capability => capability.Name));
            if (missing.Length > 0)
                error.Write($"vmm: the {capabilities.Backend} backend lacks for debugging: {missing}.\r\n");
            return attachment;
        }
        catch (Exception e) when (e is SocketException or NotSupportedException)
        {
            attachment?.Dispose();
            throw new UsageException($"--gdb {endPoint}: {e.Message}", e);
        }
    }

    /// <summary>Tells the debugger how the run ended.</summary>
    public void Ended(int status) => _server.NotifyExited(status);

    public void Dispose() => _server.Dispose();
}
