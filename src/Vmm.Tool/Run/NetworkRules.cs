using System.Net.Sockets;
using Vmm.Devices;

namespace Vmm.Tool.Run;

/// <summary>user[,RULE]... of <c>--network</c>.</summary>
internal static class NetworkRules
{
    public static UserNetworkOptions Parse(string text)
    {
        try
        {
            return UserNetworkOptions.Parse(text);
        }
        catch (FormatException e)
        {
            throw new UsageException($"--network: {e.Message}", e);
        }
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
}
