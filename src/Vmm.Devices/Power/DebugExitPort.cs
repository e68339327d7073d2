namespace Vmm.Devices;

/// <summary>A debug-exit port: a write of a value ends the run with it, as the field's debug-exit device does. Reads give 0.</summary>
/// <param name="power">Where the request goes.</param>
public sealed class DebugExitPort(PowerControl power) : IPortDevice, ISaveableDevice
{
    string ISaveableDevice.StateKind => "debug-exit";

    int ISaveableDevice.StateVersion => 1;

    /// <inheritdoc/>
    public uint Read(ushort port, int size) => 0;

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value) =>
        power.Request(new PowerEvent(PowerEventKind.DebugExit, $"debug-exit port 0x{port:X}", value));

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        // It keeps nothing.
    }
}
