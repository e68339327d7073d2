namespace Vmm.Devices.Tests;

/// <summary>One byte access to a port: an OUT of a value, or an IN.</summary>
internal readonly record struct PortOperation(ushort Port, byte? Value)
{
    public static PortOperation Out(int port, int value) => new((ushort)port, (byte)value);

    public static PortOperation In(int port) => new((ushort)port, null);

    public override string ToString() => Value is { } value ? $"out 0x{Port:X}, 0x{value:X2}" : $"in 0x{Port:X}";
}
