namespace Vmm.Devices;

/// <summary>Ports of a window that the guest may place anywhere: the target sees offsets.</summary>
/// <param name="first">The first port now.</param>
/// <param name="count">Ports.</param>
/// <param name="target">What answers.</param>
internal sealed class PciPortWindow(ushort first, ulong count, IMmioDevice target) : IPortDevice, ISaveableDevice
{
    string ISaveableDevice.StateKind => "pci-port-window";

    int ISaveableDevice.StateVersion => 1;

    public uint Read(ushort port, int size) => IsInside(port, size) ? (uint)target.Read((ulong)(port - first), size) : uint.MaxValue;

    public void Write(ushort port, int size, uint value)
    {
        if (IsInside(port, size))
            target.Write((ulong)(port - first), size, value);
    }

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        // Where it is, and what is behind it, is the function's state.
    }

    // The bus gives an access to the device of its first port: the tail may stick out of the window.
    private bool IsInside(ushort port, int size) => port >= first && (ulong)(port - first) + (ulong)size <= count;
}
