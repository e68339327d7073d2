using System.Globalization;

namespace Vmm.Devices;

/// <summary>The ways through a <see cref="UserNetwork"/>; there are no others.</summary>
public sealed record UserNetworkOptions
{
    /// <summary>What the guest may reach: from a port of 10.0.2.2 to a port of the host's 127.0.0.1.</summary>
    public IReadOnlyList<PortForward> ToHost { get; init; } = [];

    /// <summary>
    /// What programs of the host may reach: from a port of the host's 127.0.0.1 (0 = any that is free) to a port of the guest's 10.0.2.15.
    /// TCP only.
    /// </summary>
    public IReadOnlyList<PortForward> ToGuest { get; init; } = [];

    /// <summary>Reads the ways from a line such as <c>user,to-host:tcp:80:8080,to-guest:tcp:2222:22</c>.</summary>
    /// <param name="text">
    /// <c>user</c>, then ways: <c>to-host:tcp|udp:PORT:HOSTPORT</c> and <c>to-guest:tcp:HOSTPORT:PORT</c>, with ports from 1 to 65535.
    /// </param>
    /// <exception cref="FormatException">It is no such line; the message says where.</exception>
    public static UserNetworkOptions Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',');
        if (parts[0] != "user")
            throw new FormatException($"'{text}' must begin with user: there is no other kind of network.");
        List<PortForward> toHost = [], toGuest = [];
        foreach (string part in parts.AsSpan(1))
        {
            string[] words = part.Split(':');
            bool isToGuest = words[0] == "to-guest";
            if (words.Length != 4 || !(isToGuest ? words[1] == "tcp" : words[0] == "to-host" && words[1] is "tcp" or "udp"))
                throw new FormatException($"'{part}' must be to-host:tcp|udp:PORT:HOSTPORT or to-guest:tcp:HOSTPORT:PORT.");
            ForwardedProtocol protocol = words[1] == "tcp" ? ForwardedProtocol.Tcp : ForwardedProtocol.Udp;
            (isToGuest ? toGuest : toHost).Add(new PortForward(protocol, Port(words[2], part), Port(words[3], part)));
        }
        return new UserNetworkOptions { ToHost = toHost, ToGuest = toGuest };
    }

    private static ushort Port(string text, string part) =>
        ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port != 0
            ? port
            : throw new FormatException($"'{text}' in '{part}' is no port from 1 to 65535.");
}
