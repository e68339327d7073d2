namespace Vmm.Devices;

/// <summary>The colour look-up table of a VGA: 256 colours of three 6-bit parts, at ports 0x3C6 to 0x3C9.</summary>
internal sealed class VgaPalette
{
    private const int Length = 256 * 3;

    private readonly byte[] _colours = new byte[Length];
    private byte _mask = 0xFF;
    private ushort _reading;
    private ushort _writing;
    private bool _isReading;

    public byte Read(ushort port)
    {
        switch (port)
        {
            case 0x3C6:
                return _mask;
            case 0x3C7:
                return (byte)(_isReading ? 3 : 0);
            case 0x3C8:
                return (byte)(_writing / 3);
            default:
                byte value = _colours[_reading];
                _reading = (ushort)((_reading + 1) % Length);
                return value;
        }
    }

    public void Write(ushort port, byte value)
    {
        switch (port)
        {
            case 0x3C6:
                _mask = value;
                break;
            case 0x3C7:
                _reading = (ushort)(value * 3);
                _isReading = true;
                break;
            case 0x3C8:
                _writing = (ushort)(value * 3);
                _isReading = false;
                break;
            default:
                _colours[_writing] = (byte)(value & 0x3F);
                _writing = (ushort)((_writing + 1) % Length);
                break;
        }
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        state.Bytes("palette", _colours);
        state.Value("palette-mask", ref _mask);
        state.Value("palette-read", ref _reading, Length - 1);
        state.Value("palette-write", ref _writing, Length - 1);
        state.Value("palette-is-reading", ref _isReading);
    }
}
