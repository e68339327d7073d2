namespace Vmm.Devices;

/// <summary>Who is who on a <see cref="UserNetwork"/>.</summary>
internal static class NetworkAddresses
{
    public const uint Gateway = 0x0A00_0202;
    public const uint Guest = 0x0A00_020F;
    public const uint Mask = 0xFFFF_FF00;
    public const uint Broadcast = 0xFFFF_FFFF;

    public static ReadOnlySpan<byte> GatewayHardware => [0x52, 0x55, 0x0A, 0x00, 0x02, 0x02];
}
