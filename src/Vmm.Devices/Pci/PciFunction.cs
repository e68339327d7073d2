using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// A function on a PCI bus with a type-0 header: 256 bytes of configuration space, base address registers that the guest sizes and moves,
/// a list of capabilities, and an interrupt pin (PCI Local Bus 3.0, chapter 6).
/// </summary>
/// <remarks>
/// Configuration accesses come through its bus, one at a time, and the protected members are called under the bus's lock.
/// <see cref="SetInterrupt"/> may be called from any thread. Windows are made before the function is added to a bus.
/// </remarks>
public abstract class PciFunction
{
    /// <summary>Bytes of configuration space.</summary>
    public const int ConfigurationSize = 256;

    private const int Command = 0x04;
    private const int Status = 0x06;
    private const int CapabilityPointer = 0x34;
    private const int InterruptLine = 0x3C;
    private const ushort IoEnabled = 0x0001;
    private const ushort MemoryEnabled = 0x0002;
    private const ushort BusMasterEnabled = 0x0004;
    private const uint ParityAndSystemErrors = 0x0140;
    private const ushort InterruptDisabled = 0x0400;
    private const byte InterruptStatus = 0x08;
    private const byte HasCapabilities = 0x10;

    private readonly byte[] _space = new byte[ConfigurationSize];
    private readonly byte[] _writable = new byte[ConfigurationSize];
    private readonly byte[] _powerOn = new byte[ConfigurationSize];
    private readonly List<PciBar> _bars = [];
    private int _nextCapability = 0x40;
    private int _lastCapabilityLink = CapabilityPointer;
    private bool _interrupt;

    /// <summary>Makes a function that decodes nothing yet.</summary>
    /// <param name="identity">What it says it is.</param>
    protected PciFunction(PciIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(identity.InterruptPin, (byte)4);
        Identity = identity;
        Put16(0x00, identity.VendorId);
        Put16(0x02, identity.DeviceId);
        Put32(0x08, identity.ClassCode << 8 | identity.Revision);
        Put16(0x2C, identity.SubsystemVendorId);
        Put16(0x2E, identity.SubsystemId);
        Put8(0x3D, identity.InterruptPin);
        uint commands = IoEnabled | MemoryEnabled | BusMasterEnabled | ParityAndSystemErrors;
        SetWritable(Command, 2, identity.InterruptPin != 0 ? commands | InterruptDisabled : commands);
        SetWritable(0x0C, 2, 0xFFFF);
        SetWritable(InterruptLine, 1, 0xFF);
    }

    /// <summary>What it says it is.</summary>
    public PciIdentity Identity { get; }

    /// <summary>Its windows.</summary>
    public IReadOnlyList<PciBar> Bars => _bars;

    internal PciBus? Bus { get; private set; }

    internal int DeviceNumber { get; private set; }

    internal int FunctionNumber { get; private set; }

    /// <summary>The interrupt pin as others see it: the device wants it, and the command register lets it.</summary>
    internal bool DrivesInterrupt =>
        Volatile.Read(ref _interrupt) && (Volatile.Read(ref _space[Command + 1]) & (InterruptDisabled >> 8)) == 0;

    /// <summary>Drives the interrupt pin. Does nothing for a function without one, or on no bus.</summary>
    /// <param name="level">True = asserted.</param>
    public void SetInterrupt(bool level)
    {
        if (Identity.InterruptPin == 0 || Bus is not { } bus)
            return;
        if (Volatile.Read(ref _interrupt) == level)
            return;
        Volatile.Write(ref _interrupt, level);
        bus.UpdateInterrupts();
    }

    /// <summary>A configuration read, under the bus's lock.</summary>
    /// <param name="offset">Offset, 0-255.</param>
    /// <param name="size">Bytes, 1 to 4, inside the space.</param>
    internal uint ReadConfiguration(int offset, int size)
    {
        OnConfigurationReading(offset, size);
        uint value = 0;
        for (int index = 0; index < size; index++)
            value |= (uint)_space[offset + index] << (8 * index);
        if (Volatile.Read(ref _interrupt) && Touches(offset, size, Status, 1))
            value |= (uint)InterruptStatus << (8 * (Status - offset));
        return value;
    }

    /// <summary>A configuration write, under the bus's lock.</summary>
    internal void WriteConfiguration(int offset, int size, uint value)
    {
        for (int index = 0; index < size; index++)
        {
            byte mask = _writable[offset + index];
            ref byte place = ref _space[offset + index];
            byte written = (byte)(value >> (8 * index));
            Volatile.Write(ref place, (byte)((place & ~mask) | (written & mask)));
        }
        if (Touches(offset, size, Command, 2))
        {
            Bus?.UpdateInterrupts();
            Bus?.UpdateWindows();
        }
        else if (Touches(offset, size, 0x10, 24))
        {
            Bus?.UpdateWindows();
        }
        OnConfigurationWritten(offset, size, value);
    }

    internal void ExchangeState(DeviceStateExchange state)
    {
        byte[] saved = (byte[])_space.Clone();
        state.Bytes("configuration", saved);
        state.Value("interrupt", ref _interrupt);
        if (state.IsLoading)
        {
            if (!saved.AsSpan(0, 4).SequenceEqual(_space.AsSpan(0, 4)))
                throw state.Refuse("configuration", "is that of another device");
            for (int offset = 0; offset < ConfigurationSize; offset++)
                _space[offset] = (byte)((_space[offset] & ~_writable[offset]) | (saved[offset] & _writable[offset]));
        }
        OnExchangeState(state);
    }

    internal void Attach(PciBus bus, int device, int function)
    {
        if (Bus is not null)
            throw new InvalidOperationException($"The function {Identity.VendorId:X4}:{Identity.DeviceId:X4} is on a bus already.");
        Bus = bus;
        DeviceNumber = device;
        FunctionNumber = function;
        _space.CopyTo(_powerOn, 0);
    }

    internal void SetMultiFunction()
    {
        _space[0x0E] |= 0x80;
        _powerOn[0x0E] |= 0x80;
    }

    /// <summary>Puts configuration space in its power-on state, under the bus's lock.</summary>
    internal void Reset()
    {
        _powerOn.CopyTo(_space, 0);
        Volatile.Write(ref _interrupt, false);
        OnReset();
    }

    /// <summary>Where a window shall answer; null = nowhere. Address 0 counts as not placed.</summary>
    internal ulong? WantedAddress(PciBar bar)
    {
        ushort enabled = bar.Kind == PciBarKind.Io ? IoEnabled : MemoryEnabled;
        if ((Get16(Command) & enabled) == 0)
            return null;
        uint low = BinaryPrimitives.ReadUInt32LittleEndian(_space.AsSpan(bar.Offset));
        ulong address = low & ~(bar.Kind == PciBarKind.Io ? 3ul : 15ul);
        if (bar.Kind == PciBarKind.Memory64)
            address |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(_space.AsSpan(bar.Offset + 4)) << 32;
        ulong last = bar.Kind == PciBarKind.Io ? ushort.MaxValue : bar.Kind == PciBarKind.Memory32 ? uint.MaxValue : ulong.MaxValue;
        return address != 0 && address <= last - (bar.Size - 1) ? address : null;
    }

    /// <summary>Adds a window.</summary>
    protected void AddBar(PciBar bar)
    {
        ArgumentNullException.ThrowIfNull(bar);
        if (Bus is not null)
            throw new InvalidOperationException("Windows are made before a function is on a bus.");
        foreach (PciBar other in _bars)
        {
            if (bar.Index < other.Index + Registers(other) && other.Index < bar.Index + Registers(bar))
                throw new ArgumentException($"Base address register {bar.Index} is taken.", nameof(bar));
        }
        _bars.Add(bar);
        Put32(bar.Offset, bar.TypeBits);
        SetWritable(bar.Offset, 4, (uint)~(bar.Size - 1));
        if (bar.Kind == PciBarKind.Memory64)
            SetWritable(bar.Offset + 4, 4, uint.MaxValue);
    }

    /// <summary>Appends a capability to the list.</summary>
    /// <param name="id">Capability id (PCI Local Bus 3.0, appendix H).</param>
    /// <param name="body">What follows the id and the link.</param>
    /// <returns>Its offset in configuration space.</returns>
    /// <exception cref="InvalidOperationException">Configuration space is full.</exception>
    protected int AddCapability(byte id, ReadOnlySpan<byte> body)
    {
        int offset = _nextCapability;
        int end = (offset + 2 + body.Length + 3) & ~3;
        if (end > ConfigurationSize)
            throw new InvalidOperationException("Configuration space has no room for another capability.");
        Put8(offset, id);
        body.CopyTo(_space.AsSpan(offset + 2));
        Put8(_lastCapabilityLink, (byte)offset);
        Put8(Status, (byte)(_space[Status] | HasCapabilities));
        _lastCapabilityLink = offset + 1;
        _nextCapability = end;
        return offset;
    }

    /// <summary>Sets registers, whether or not the guest may write them.</summary>
    protected void Put8(int offset, byte value) => _space[offset] = value;

    /// <summary>Sets registers, whether or not the guest may write them.</summary>
    protected void Put16(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(_space.AsSpan(offset), value);

    /// <summary>Sets registers, whether or not the guest may write them.</summary>
    protected void Put32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(_space.AsSpan(offset), value);

    /// <summary>Reads a register.</summary>
    protected byte Get8(int offset) => _space[offset];

    /// <summary>Reads registers.</summary>
    protected ushort Get16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_space.AsSpan(offset));

    /// <summary>Reads registers.</summary>
    protected uint Get32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_space.AsSpan(offset));

    /// <summary>Says which bits of registers the guest may write; all others keep their value.</summary>
    /// <param name="offset">Offset of the first.</param>
    /// <param name="size">Bytes, 1 to 4.</param>
    /// <param name="mask">The bits.</param>
    protected void SetWritable(int offset, int size, uint mask)
    {
        for (int index = 0; index < size; index++)
            _writable[offset + index] = (byte)(mask >> (8 * index));
    }

    /// <summary>A guest is about to read registers: those that are made on the fly are set here.</summary>
    protected virtual void OnConfigurationReading(int offset, int size)
    {
    }

    /// <summary>A guest has written registers; they have their new values.</summary>
    protected virtual void OnConfigurationWritten(int offset, int size, uint value)
    {
    }

    /// <summary>Configuration space is in its power-on state again; the rest of the function follows.</summary>
    protected virtual void OnReset()
    {
    }

    /// <summary>Moves the function's own state; on loading, configuration space has its restored values.</summary>
    protected virtual void OnExchangeState(DeviceStateExchange state)
    {
    }

    /// <summary>Whether an access covers any of some registers.</summary>
    protected static bool Touches(int offset, int size, int register, int length) => offset < register + length && register < offset + size;

    private static int Registers(PciBar bar) => bar.Kind == PciBarKind.Memory64 ? 2 : 1;
}
