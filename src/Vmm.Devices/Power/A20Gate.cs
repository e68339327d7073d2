namespace Vmm.Devices;

/// <summary>The address line 20 gate, as the keyboard controller and port 0x92 set it.</summary>
/// <remarks>
/// A latch that software can set and read back. Memory is not wrapped at 1 MiB: the line is on when a machine starts, as boot
/// protocols have it, and today's processors no longer act on it.
/// </remarks>
public sealed class A20Gate : ISaveableDevice
{
    private volatile bool _enabled = true;

    /// <summary>Whether the gate is on. May be used from any thread.</summary>
    public bool Enabled
    {
        get => _enabled;
        set => _enabled = value;
    }

    string ISaveableDevice.StateKind => "a20-gate";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        bool enabled = _enabled;
        state.Value("enabled", ref enabled);
        _enabled = enabled;
    }
}
