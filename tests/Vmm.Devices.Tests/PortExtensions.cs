namespace Vmm.Devices.Tests;

/// <summary>Byte accesses as a program would write them.</summary>
internal static class PortExtensions
{
    public static byte In(this IPortDevice device, ushort port) => (byte)device.Read(port, 1);

    public static void Out(this IPortDevice device, ushort port, int value) => device.Write(port, 1, (byte)value);
}
