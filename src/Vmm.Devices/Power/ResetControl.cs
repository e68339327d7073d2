namespace Vmm.Devices;

/// <summary>
/// The reset control register at port 0xCF9: bit 1 chooses a hard reset, bit 2 rising asks for the reset (Intel PIIX3, 2.5.6).
/// </summary>
/// <param name="power">Where a reset request goes.</param>
public sealed class ResetControl(PowerControl power) : BytePortDevice, ISaveableDevice
{
    private const byte ResetProcessor = 0x04;
    private const byte Kept = 0x0A;

    private readonly Lock _gate = new();
    private byte _value;

    string ISaveableDevice.StateKind => "reset-control";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
            state.Value("value", ref _value, Kept | ResetProcessor);
    }

    /// <inheritdoc/>
    protected override byte ReadByte(ushort port)
    {
        if (port != 0xCF9)
            return 0xFF;
        lock (_gate)
            return _value;
    }

    /// <inheritdoc/>
    protected override void WriteByte(ushort port, byte value)
    {
        if (port != 0xCF9)
            return;
        bool reset;
        lock (_gate)
        {
            reset = (value & ~_value & ResetProcessor) != 0;
            _value = (byte)(value & (Kept | ResetProcessor));
        }
        if (reset)
            power.Request(new PowerEvent(PowerEventKind.Reset, "port 0xCF9"));
    }
}
