namespace Vmm.Devices;

/// <summary>The two ends of a connection between the guest and the gateway.</summary>
internal readonly record struct TcpAddress(uint Guest, ushort GuestPort, ushort GatewayPort);
