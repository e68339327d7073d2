using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// The MSI-X vectors of a PCI function: a table that says which message each sends, and the bits of those that wait because they are masked
/// (PCI Local Bus 3.0, 6.8.2). It is a window of one page: the table at 0, the pending bits at 0x800.
/// </summary>
/// <param name="count">Vectors, 1 to 64.</param>
/// <param name="send">Takes the messages.</param>
internal sealed class MsixTable(int count, InterruptMessage send) : IMmioDevice
{
    public const int WindowSize = 4096;
    public const int PendingOffset = 0x800;
    public const int EntrySize = 16;

    private const int ControlOffset = 12;
    private const uint MessageAddressMask = 0xFFF0_0000;
    private const uint MessageAddress = 0xFEE0_0000;

    private readonly Lock _gate = new();
    private readonly byte[] _entries = PowerOn(count);
    private ulong _pending;
    private bool _isEnabled;
    private bool _isMasked;

    public int Count => count;

    public bool IsEnabled
    {
        get
        {
            lock (_gate)
                return _isEnabled;
        }
    }

    /// <summary>Takes the message control register's enable and function mask bits.</summary>
    public void SetControl(bool isEnabled, bool isMasked)
    {
        ulong due;
        lock (_gate)
        {
            _isEnabled = isEnabled;
            _isMasked = isMasked;
            due = TakeDue();
        }
        SendAll(due);
    }

    public void Reset()
    {
        lock (_gate)
        {
            PowerOn(count).CopyTo(_entries, 0);
            _pending = 0;
            _isEnabled = false;
            _isMasked = false;
        }
    }

    /// <summary>Sends a vector's message, or keeps it for when it is unmasked. Does nothing while MSI-X is off.</summary>
    public void Signal(int vector)
    {
        ulong due;
        lock (_gate)
        {
            if (!_isEnabled || (uint)vector >= (uint)count)
                return;
            _pending |= 1ul << vector;
            due = TakeDue();
        }
        SendAll(due);
    }

    public ulong Read(ulong offset, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        lock (_gate)
        {
            if (offset + (ulong)size <= (ulong)_entries.Length)
                _entries.AsSpan((int)offset, size).CopyTo(bytes);
            else if (offset >= PendingOffset && offset < PendingOffset + 8)
                BinaryPrimitives.WriteUInt64LittleEndian(bytes, _pending >> (8 * (int)(offset - PendingOffset)));
        }
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public void Write(ulong offset, int size, ulong value)
    {
        // Software accesses the table in aligned pieces of four or eight bytes (6.8.2).
        if (size is not (4 or 8) || offset % (ulong)size != 0 || offset + (ulong)size > (ulong)_entries.Length)
            return;
        ulong due;
        lock (_gate)
        {
            Span<byte> place = _entries.AsSpan((int)offset, size);
            if (size == 4)
                BinaryPrimitives.WriteUInt32LittleEndian(place, (uint)value);
            else
                BinaryPrimitives.WriteUInt64LittleEndian(place, value);
            due = TakeDue();
        }
        SendAll(due);
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        lock (_gate)
        {
            state.Bytes("entries", _entries);
            state.Value("pending", ref _pending);
            state.Value("enabled", ref _isEnabled);
            state.Value("masked", ref _isMasked);
        }
    }

    private static byte[] PowerOn(int count)
    {
        byte[] entries = new byte[count * EntrySize];
        for (int vector = 0; vector < count; vector++)
            entries[vector * EntrySize + ControlOffset] = 1;
        return entries;
    }

    private ulong TakeDue()
    {
        if (!_isEnabled || _isMasked || _pending == 0)
            return 0;
        ulong due = 0;
        for (int vector = 0; vector < count; vector++)
        {
            if ((_pending >> vector & 1) != 0 && (_entries[vector * EntrySize + ControlOffset] & 1) == 0)
                due |= 1ul << vector;
        }
        _pending &= ~due;
        return due;
    }

    private void SendAll(ulong vectors)
    {
        for (int vector = 0; vectors != 0; vector++, vectors >>= 1)
        {
            if ((vectors & 1) != 0)
                Send(vector);
        }
    }

    // A message is a write to the local APICs' addresses (SDM Vol. 3A 11.11); elsewhere it would go to memory, and is lost here.
    private void Send(int vector)
    {
        uint address;
        uint high;
        uint data;
        lock (_gate)
        {
            ReadOnlySpan<byte> entry = _entries.AsSpan(vector * EntrySize, EntrySize);
            address = BinaryPrimitives.ReadUInt32LittleEndian(entry);
            high = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
            data = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
        }
        InterruptDeliveryMode mode = (InterruptDeliveryMode)(data >> 8 & 7);
        bool isKnown = mode is InterruptDeliveryMode.Fixed or InterruptDeliveryMode.LowestPriority or InterruptDeliveryMode.NonMaskable
            or InterruptDeliveryMode.Init or InterruptDeliveryMode.External;
        bool usesVector = mode is InterruptDeliveryMode.Fixed or InterruptDeliveryMode.LowestPriority;
        if (high != 0 || (address & MessageAddressMask) != MessageAddress || !isKnown || (usesVector && (byte)data < 16))
            return;
        send(new InterruptRequest
        {
            Vector = (byte)data,
            Mode = mode,
            Destination = address >> 12 & 0xFF,
            Logical = (address & 4) != 0,
            LevelTriggered = false,
        });
    }
}
