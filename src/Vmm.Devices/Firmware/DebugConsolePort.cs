namespace Vmm.Devices;

/// <summary>
/// The debug console of emulated PCs: every byte written to the port goes to a sink, and a read gives 0xE9, by which firmware finds out
/// that the console is there. Firmware uses port 0x402; 0xE9 is another port in use.
/// </summary>
/// <param name="output">Takes the bytes, on the thread of the processor that writes.</param>
public sealed class DebugConsolePort(SerialOutput output) : IPortDevice, ISaveableDevice
{
    /// <summary>The port that SeaBIOS and other firmware of emulated PCs write to.</summary>
    public const ushort FirmwarePort = 0x402;

    private const byte Present = 0xE9;

    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public uint Read(ushort port, int size) => Present;

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        byte character = (byte)value;
        lock (_gate)
            output(new ReadOnlySpan<byte>(in character));
    }

    string ISaveableDevice.StateKind => "debug-console";

    int ISaveableDevice.StateVersion => 1;

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        // It keeps nothing.
    }
}
