using System.Net.Sockets;
using Vmm.Devices;

namespace Vmm.Tool.Run;

/// <summary>user[,RULE]... of <c>--network</c>.</summary>
internal static class NetworkRules
{
    public static UserNetworkOptions Parse(string text)
    {
        string[] parts = text.Split(',');
        if (parts[0] != "user")
            throw new UsageException($"--network '{text}' must begin with user: there is no other kind.");
        List<PortForward> toHost = [];
        List<PortForward> toGuest = [];
        foreach (string part in parts[1..])
        {
            string[] words = part.Split(':');
            bool isToGuest = words[0] == "to-guest";
            bool isKnown = words.Length == 4 && (isToGuest ? words[1] == "tcp" : words[0] == "to-host" && words[1] is "tcp" or "udp");
            if (!isKnown)
                throw new UsageException($"--network rule '{part}' must be to-host:tcp|udp:PORT:HOSTPORT or to-guest:tcp:HOSTPORT:PORT.");
            ForwardedProtocol protocol = words[1] == "tcp" ? ForwardedProtocol.Tcp : ForwardedProtocol.Udp;
            (isToGuest ? toGuest : toHost).Add(new PortForward(protocol, Port(words[2]), Port(words[3])));
        }
        return new UserNetworkOptions { ToHost = toHost, ToGuest = toGuest };
    }

    /// <summary>Makes the network.</summary>
    /// <exception cref="UsageException">It cannot be: a port is in use, or named twice.</exception>
    public static UserNetwork Open(UserNetworkOptions options)
    {
        try
        {
            return new UserNetwork(options);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            throw new UsageException($"--network: {e.Message}", e);
        }
    }

    private static ushort Port(string text)
    {
        ushort port = (ushort)MemorySize.ParseNumber(text, ushort.MaxValue, "--network port");
        return port != 0 ? port : throw new UsageException("--network: 0 is no port.");
    }
}
