namespace Vmm.Devices;

/// <summary>
/// A virtio device as a block of memory-mapped registers, version 2 (Virtual I/O Device 1.2, 4.2), with one level-triggered interrupt line.
/// </summary>
/// <remarks>Registers are accessed as aligned 32-bit words, as drivers must; other accesses read 0 and write nothing. The device's own
/// configuration, from offset 0x100 on, takes any size.</remarks>
public sealed class VirtioMmioTransport : IMmioDevice, IVirtioTransport, ISaveableDevice
{
    /// <summary>Bytes of the register block.</summary>
    public const int Length = 0x1000;

    private const uint Magic = 0x7472_6976;
    private const uint Version = 2;
    private const uint Vendor = 0x1AF4;
    private const int ConfigurationOffset = 0x100;
    private const byte QueueInterrupt = 1;
    private const byte ConfigurationInterrupt = 2;

    private readonly Lock _interruptGate = new();
    private readonly IInterruptLine _line;
    private byte _interruptStatus;
    private uint _offeredSelect;
    private uint _acceptedSelect;
    private uint _queueSelect;

    /// <summary>Carries a device.</summary>
    /// <param name="device">The device, not attached to anything else.</param>
    /// <param name="line">Its interrupt line.</param>
    public VirtioMmioTransport(VirtioDevice device, IInterruptLine line)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(line);
        Device = device;
        _line = line;
        device.Attach(this);
    }

    /// <summary>The device.</summary>
    public VirtioDevice Device { get; }

    string ISaveableDevice.StateKind => "virtio-mmio";

    int ISaveableDevice.StateVersion => 1;

    private Virtqueue? Selected => _queueSelect < (uint)Device.Queues.Length ? Device.Queues[_queueSelect] : null;

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        if (offset < ConfigurationOffset)
            return size == 4 && offset % 4 == 0 ? ReadRegister((uint)offset) : 0;
        int inside = (int)offset - ConfigurationOffset;
        if (size <= 4)
            return Device.ReadConfiguration(inside, size);
        return Device.ReadConfiguration(inside, 4) | (ulong)Device.ReadConfiguration(inside + 4, size - 4) << 32;
    }

    /// <inheritdoc/>
    public void Write(ulong offset, int size, ulong value)
    {
        if (offset >= ConfigurationOffset)
        {
            if (size <= 4)
                Device.WriteConfiguration((int)offset - ConfigurationOffset, size, (uint)value);
        }
        else if (size == 4 && offset % 4 == 0)
        {
            WriteRegister((uint)offset, (uint)value);
        }
    }

    void IVirtioTransport.SignalQueues(uint queues) => AddInterruptStatus(QueueInterrupt);

    void IVirtioTransport.SignalConfiguration() => AddInterruptStatus(ConfigurationInterrupt);

    void ISaveableDevice.ExchangeState(DeviceStateExchange state)
    {
        lock (Device.Gate)
        {
            state.Value("offered-select", ref _offeredSelect);
            state.Value("accepted-select", ref _acceptedSelect);
            state.Value("queue-select", ref _queueSelect);
        }
        lock (_interruptGate)
            state.Value("interrupt-status", ref _interruptStatus, QueueInterrupt | ConfigurationInterrupt);
    }

    private static ulong Half(ulong whole, bool high, uint value) =>
        high ? (whole & uint.MaxValue) | (ulong)value << 32 : (whole & ~(ulong)uint.MaxValue) | value;

    private uint ReadRegister(uint offset)
    {
        switch (offset)
        {
            case 0x000:
                return Magic;
            case 0x004:
                return Version;
            case 0x008:
                return (uint)Device.Kind;
            case 0x00C:
                return Vendor;
            case 0x010:
                return Device.ReadOfferedFeatures(_offeredSelect);
            case 0x034:
                return Selected?.MaximumSize ?? 0u;
            case 0x044:
                return Selected is { IsEnabled: true } ? 1u : 0u;
            case 0x060:
                lock (_interruptGate)
                    return _interruptStatus;
            case 0x070:
                return (uint)Device.Status;
            case >= 0x0B0 and < 0x0C0:
                // Shared memory regions: there are none, which a length of all ones says.
                return uint.MaxValue;
            default:
                return 0;
        }
    }

    private void WriteRegister(uint offset, uint value)
    {
        switch (offset)
        {
            case 0x014:
                _offeredSelect = value;
                break;
            case 0x020:
                Device.WriteAcceptedFeatures(_acceptedSelect, value);
                break;
            case 0x024:
                _acceptedSelect = value;
                break;
            case 0x030:
                _queueSelect = value;
                break;
            case 0x044:
                SetReady(value);
                break;
            case 0x050:
                Device.Notify(value);
                break;
            case 0x064:
                ClearInterruptStatus((byte)value);
                break;
            case 0x070:
                Device.WriteStatus((byte)value);
                if ((byte)value == 0)
                    ClearInterruptStatus(QueueInterrupt | ConfigurationInterrupt);
                break;
            default:
                WriteQueue(offset, value);
                break;
        }
    }

    private void SetReady(uint value)
    {
        if (Selected is not { } queue)
            return;
        if (value != 0)
        {
            Device.EnableQueue((int)_queueSelect);
            return;
        }
        lock (Device.Gate)
            queue.Reset();
    }

    private void WriteQueue(uint offset, uint value)
    {
        lock (Device.Gate)
        {
            if (Selected is not { IsEnabled: false } queue)
                return;
            bool isHigh = (offset & 4) != 0;
            switch (offset)
            {
                case 0x038:
                    queue.Size = (ushort)Math.Min(value, ushort.MaxValue);
                    break;
                case 0x080 or 0x084:
                    queue.DescriptorTable = Half(queue.DescriptorTable, isHigh, value);
                    break;
                case 0x090 or 0x094:
                    queue.AvailableRing = Half(queue.AvailableRing, isHigh, value);
                    break;
                case 0x0A0 or 0x0A4:
                    queue.UsedRing = Half(queue.UsedRing, isHigh, value);
                    break;
            }
        }
    }

    private void AddInterruptStatus(byte bits)
    {
        lock (_interruptGate)
        {
            _interruptStatus |= bits;
            _line.Set(true);
        }
    }

    private void ClearInterruptStatus(byte bits)
    {
        lock (_interruptGate)
        {
            _interruptStatus &= (byte)~bits;
            if (_interruptStatus == 0)
                _line.Set(false);
        }
    }
}
