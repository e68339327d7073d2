namespace Vmm.Devices;

/// <summary>System control port A at 0x92: bit 0 asks for a fast reset when it rises, bit 1 is the A20 gate.</summary>
/// <param name="power">Where a reset request goes.</param>
/// <param name="a20">The gate, shared with the keyboard controller.</param>
public sealed class SystemControlPortA(PowerControl power, A20Gate a20) : BytePortDevice, ISaveableDevice
{
    private const byte FastReset = 0x01;
    private const byte A20 = 0x02;

    private readonly Lock _gate = new();
    private byte _value;

    string ISaveableDevice.StateKind => "system-control-port-a";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
            state.Value("value", ref _value);
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        if (port != 0x92)
            return 0xFF;
        lock (_gate)
            return (byte)(_value | (a20.Enabled ? A20 : 0));
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        if (port != 0x92)
            return;
        bool reset;
        lock (_gate)
        {
            reset = (value & ~_value & FastReset) != 0;
            _value = (byte)(value & ~A20);
            a20.Enabled = (value & A20) != 0;
        }
        if (reset)
            power.Request(new PowerEvent(PowerEventKind.Reset, "port 0x92"));
    }
}
