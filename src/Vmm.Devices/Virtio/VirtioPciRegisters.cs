namespace Vmm.Devices;

/// <summary>The window of a virtio PCI function: common configuration, notifications, interrupt status and device configuration.</summary>
internal sealed class VirtioPciRegisters(VirtioDevice device, MsixTable? msix, Action<bool> setPin) : IMmioDevice
{
    public const uint WindowSize = 0x4000;
    public const uint CommonOffset = 0x0000;
    public const uint CommonSize = 0x38;
    public const uint InterruptOffset = 0x1000;
    public const uint DeviceOffset = 0x2000;
    public const uint NotifyOffset = 0x3000;
    public const uint NotifyMultiplier = 4;

    private const ushort NoVector = 0xFFFF;
    private const byte QueueInterrupt = 1;
    private const byte ConfigurationInterrupt = 2;

    // A leaf lock, but for the pin and the messages.
    private readonly Lock _interruptGate = new();
    private readonly ushort[] _queueVectors = NewVectors(device.Queues.Length);
    private ushort _configurationVector = NoVector;
    private byte _interruptStatus;
    private uint _offeredSelect;
    private uint _acceptedSelect;
    private ushort _queueSelect;

    private Virtqueue? Selected => _queueSelect < device.Queues.Length ? device.Queues[_queueSelect] : null;

    public ulong Read(ulong offset, int size)
    {
        // Wider than a register: as two accesses.
        if (size > 4)
            return Read(offset, 4) | Read(offset + 4, size - 4) << 32;
        uint inside = (uint)offset & 0xFFF;
        switch (offset >> 12)
        {
            case CommonOffset >> 12:
                return ReadCommon(inside, size);
            case InterruptOffset >> 12:
                return inside == 0 ? TakeInterruptStatus() : 0u;
            case DeviceOffset >> 12:
                return device.ReadConfiguration((int)inside, size);
            default:
                return 0;
        }
    }

    public void Write(ulong offset, int size, ulong value)
    {
        if (size > 4)
        {
            Write(offset, 4, value & uint.MaxValue);
            Write(offset + 4, size - 4, value >> 32);
            return;
        }
        uint inside = (uint)offset & 0xFFF;
        switch (offset >> 12)
        {
            case CommonOffset >> 12:
                WriteCommon(inside, size, (uint)value);
                break;
            case DeviceOffset >> 12:
                device.WriteConfiguration((int)inside, size, (uint)value);
                break;
            case NotifyOffset >> 12:
                device.Notify(inside / NotifyMultiplier);
                break;
        }
    }

    public void SignalQueues(uint queues)
    {
        if (msix is { IsEnabled: true })
        {
            for (int queue = 0; queues != 0; queue++, queues >>= 1)
            {
                if ((queues & 1) != 0)
                    msix.Signal(Volatile.Read(ref _queueVectors[queue]));
            }
        }
        else
        {
            AddInterruptStatus(QueueInterrupt);
        }
    }

    public void SignalConfiguration()
    {
        if (msix is { IsEnabled: true })
            msix.Signal(Volatile.Read(ref _configurationVector));
        else
            AddInterruptStatus(ConfigurationInterrupt);
    }

    /// <summary>MSI-X was switched on or off: the pin is driven only while it is off.</summary>
    public void UpdateInterrupt()
    {
        lock (_interruptGate)
            setPin(_interruptStatus != 0 && msix is not { IsEnabled: true });
    }

    public void Reset()
    {
        lock (device.Gate)
        {
            _offeredSelect = 0;
            _acceptedSelect = 0;
            ForgetDriver();
        }
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        lock (device.Gate)
        {
            state.Value("offered-select", ref _offeredSelect);
            state.Value("accepted-select", ref _acceptedSelect);
            state.Value("queue-select", ref _queueSelect);
            state.Value("configuration-vector", ref _configurationVector);
            for (int queue = 0; queue < _queueVectors.Length; queue++)
                state.Value($"queue-vector-{queue}", ref _queueVectors[queue]);
        }
        lock (_interruptGate)
            state.Value("interrupt-status", ref _interruptStatus, QueueInterrupt | ConfigurationInterrupt);
    }

    private static ushort[] NewVectors(int count)
    {
        ushort[] vectors = new ushort[count];
        Array.Fill(vectors, NoVector);
        return vectors;
    }

    private static ulong Half(ulong whole, bool high, uint value) =>
        high ? (whole & uint.MaxValue) | (ulong)value << 32 : (whole & ~(ulong)uint.MaxValue) | value;

    private byte TakeInterruptStatus()
    {
        lock (_interruptGate)
        {
            byte status = _interruptStatus;
            _interruptStatus = 0;
            setPin(false);
            return status;
        }
    }

    private void AddInterruptStatus(byte bits)
    {
        lock (_interruptGate)
        {
            _interruptStatus |= bits;
            setPin(true);
        }
    }

    private uint ReadCommon(uint offset, int size)
    {
        if (offset >= CommonSize)
            return 0;
        (uint start, uint value) = offset switch
        {
            < 0x10 => (offset & ~3u, ReadFeatures(offset & ~3u)),
            < 0x12 => (0x10u, _configurationVector),
            < 0x14 => (0x12u, (uint)device.Queues.Length),
            0x14 => (0x14u, (uint)device.Status),
            0x15 => (0x15u, 0u),
            < 0x20 => (offset & ~1u, ReadQueue(offset & ~1u)),
            _ => (offset & ~3u, ReadAddress(offset & ~3u)),
        };
        uint shifted = value >> (int)(8 * (offset - start));
        return size == 4 ? shifted : shifted & ((1u << (8 * size)) - 1);
    }

    private uint ReadFeatures(uint offset) => offset switch
    {
        0x0 => _offeredSelect,
        0x4 => device.ReadOfferedFeatures(_offeredSelect),
        0x8 => _acceptedSelect,
        _ => device.ReadAcceptedFeatures(_acceptedSelect),
    };

    private uint ReadQueue(uint offset)
    {
        if (offset == 0x16)
            return _queueSelect;
        if (Selected is not { } queue)
            return 0;
        return offset switch
        {
            0x18 => queue.Size,
            0x1A => _queueVectors[_queueSelect],
            0x1C => queue.IsEnabled ? 1u : 0u,
            _ => _queueSelect,
        };
    }

    private uint ReadAddress(uint offset)
    {
        if (Selected is not { } queue)
            return 0;
        ulong whole = (offset & ~7u) switch
        {
            0x20 => queue.DescriptorTable,
            0x28 => queue.AvailableRing,
            _ => queue.UsedRing,
        };
        return (uint)(whole >> ((offset & 4) != 0 ? 32 : 0));
    }

    // Registers are written whole, as the driver must (4.1.3.1); anything else does nothing.
    private void WriteCommon(uint offset, int size, uint value)
    {
        switch ((offset, size))
        {
            case (0x00, 4):
                _offeredSelect = value;
                break;
            case (0x08, 4):
                _acceptedSelect = value;
                break;
            case (0x0C, 4):
                device.WriteAcceptedFeatures(_acceptedSelect, value);
                break;
            case (0x10, 2):
                Volatile.Write(ref _configurationVector, CheckVector(value));
                break;
            case (0x14, 1):
                WriteStatus((byte)value);
                break;
            case (0x16, 2):
                _queueSelect = (ushort)value;
                break;
            case (0x1C, 2):
                if (value == 1 && Selected is not null)
                    device.EnableQueue(_queueSelect);
                break;
            case ( >= 0x18 and < 0x38, _):
                WriteQueue(offset, size, value);
                break;
        }
    }

    private void WriteStatus(byte value)
    {
        device.WriteStatus(value);
        if (value != 0)
            return;
        lock (device.Gate)
            ForgetDriver();
    }

    private void ForgetDriver()
    {
        _queueSelect = 0;
        Array.Fill(_queueVectors, NoVector);
        _configurationVector = NoVector;
        TakeInterruptStatus();
    }

    private void WriteQueue(uint offset, int size, uint value)
    {
        lock (device.Gate)
        {
            if (Selected is not { } queue)
                return;
            if ((offset, size) == (0x1A, 2))
                Volatile.Write(ref _queueVectors[_queueSelect], CheckVector(value));
            else if (queue.IsEnabled)
                return;
            else if ((offset, size) == (0x18, 2))
                queue.Size = (ushort)value;
            else if (offset >= 0x20 && size == 4 && offset % 4 == 0)
                WriteAddress(queue, offset, value);
        }
    }

    private static void WriteAddress(Virtqueue queue, uint offset, uint value)
    {
        bool isHigh = (offset & 4) != 0;
        switch (offset & ~7u)
        {
            case 0x20:
                queue.DescriptorTable = Half(queue.DescriptorTable, isHigh, value);
                break;
            case 0x28:
                queue.AvailableRing = Half(queue.AvailableRing, isHigh, value);
                break;
            default:
                queue.UsedRing = Half(queue.UsedRing, isHigh, value);
                break;
        }
    }

    // A vector that does not exist is refused by reading back as none (4.1.5.1.2).
    private ushort CheckVector(uint value) => msix is not null && value < msix.Count ? (ushort)value : NoVector;
}
