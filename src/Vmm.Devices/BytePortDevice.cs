namespace Vmm.Devices;

/// <summary>
/// An 8-bit device on the port bus. A wider access is split into byte accesses at consecutive ports, low byte first, as the ISA bus does
/// it.
/// </summary>
/// <remarks>Deriving classes are called from any vCPU thread, several at a time, and lock for themselves.</remarks>
public abstract class BytePortDevice : IPortDevice
{
    /// <inheritdoc/>
    public uint Read(ushort port, int size)
    {
        if (size == 1)
            return ReadByte(port);
        uint value = 0;
        for (int index = 0; index < size; index++)
            value |= (uint)ReadByte((ushort)(port + index)) << (8 * index);
        return value;
    }

    /// <inheritdoc/>
    public void Write(ushort port, int size, uint value)
    {
        if (size == 1)
        {
            WriteByte(port, (byte)value);
            return;
        }
        for (int index = 0; index < size; index++)
            WriteByte((ushort)(port + index), (byte)(value >> (8 * index)));
    }

    /// <summary>Reads one byte; a port that is not the device's own gives 0xFF.</summary>
    /// <param name="port">The port's address on the bus.</param>
    protected abstract byte ReadByte(ushort port);

    /// <summary>Writes one byte; a port that is not the device's own ignores it.</summary>
    /// <param name="port">The port's address on the bus.</param>
    /// <param name="value">The byte written.</param>
    protected abstract void WriteByte(ushort port, byte value);
}
