namespace Vmm.Devices;

/// <summary>A PS/2 keyboard that nobody types on: it answers the commands by which a system finds and sets it up.</summary>
internal sealed class Keyboard
{
    private const byte Acknowledged = 0xFA;

    private byte _parameterOf;
    private byte _scanCodeSet = 2;

    public void ExchangeState(DeviceStateExchange state)
    {
        state.Value("parameter-of", ref _parameterOf);
        state.Value("scan-code-set", ref _scanCodeSet, 3);
    }

    /// <summary>Takes a byte sent to the keyboard and gives its answer.</summary>
    public ReadOnlySpan<byte> Answer(byte value)
    {
        byte command = _parameterOf;
        _parameterOf = 0;
        switch (command)
        {
            case 0xF0 when value == 0:
                return new byte[] { Acknowledged, _scanCodeSet };
            case 0xF0 when value <= 3:
                _scanCodeSet = value;
                return [Acknowledged];
            case 0xED or 0xF3:
                return [Acknowledged];
        }
        switch (value)
        {
            case 0xED or 0xF0 or 0xF3:
                _parameterOf = value;
                return [Acknowledged];
            case 0xEE:
                return [0xEE];
            case 0xF2:
                return [Acknowledged, 0xAB, 0x83];
            case 0xF4 or 0xF5:
                return [Acknowledged];
            case 0xF6:
                _scanCodeSet = 2;
                return [Acknowledged];
            case 0xFF:
                _scanCodeSet = 2;
                return [Acknowledged, 0xAA];
            default:
                // Resend: not a command of this keyboard.
                return [0xFE];
        }
    }
}
