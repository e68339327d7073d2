using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// A split virtqueue from the device's side (Virtual I/O Device 1.2, 2.7). Everything in it is the driver's word: whatever breaks the rules
/// is reported as broken and changes nothing else.
/// </summary>
/// <remarks>Used under its device's lock.</remarks>
internal sealed class Virtqueue
{
    private const ushort HasNext = 1;
    private const ushort DeviceWrites = 2;
    private const ushort IsIndirect = 4;
    private const ushort NoInterrupt = 1;
    private const int DescriptorSize = 16;

    private readonly DeviceMemory _memory;
    private ushort _nextAvailable;
    private ushort _nextUsed;
    private ushort _signalledUsed;

    public Virtqueue(DeviceMemory memory, ushort maximumSize)
    {
        _memory = memory;
        MaximumSize = maximumSize;
        Size = maximumSize;
    }

    /// <summary>The largest size that the device offers.</summary>
    public ushort MaximumSize { get; }

    /// <summary>Entries; the driver may lower it before it enables the queue.</summary>
    public ushort Size { get; set; }

    /// <summary>Whether the driver has enabled the queue.</summary>
    public bool IsEnabled { get; private set; }

    /// <summary>Guest-physical address of the descriptor table.</summary>
    public ulong DescriptorTable { get; set; }

    /// <summary>Guest-physical address of the available ring.</summary>
    public ulong AvailableRing { get; set; }

    /// <summary>Guest-physical address of the used ring.</summary>
    public ulong UsedRing { get; set; }

    /// <summary>What is wrong with the queue; null = nothing. A broken queue does nothing until it is reset.</summary>
    public string? Fault { get; private set; }

    /// <summary>Whether the driver understood event indexes.</summary>
    public bool HasEventIndex { get; set; }

    /// <summary>Whether the driver may use indirect tables.</summary>
    public bool HasIndirect { get; set; }

    public void Reset()
    {
        Size = MaximumSize;
        IsEnabled = false;
        DescriptorTable = 0;
        AvailableRing = 0;
        UsedRing = 0;
        Fault = null;
        _nextAvailable = 0;
        _nextUsed = 0;
        _signalledUsed = 0;
    }

    /// <summary>The driver enables the queue. False: what it has set up cannot be one.</summary>
    public bool TryEnable()
    {
        if (IsEnabled)
            return true;
        bool isPossible = Size != 0 && Size <= MaximumSize && (Size & (Size - 1)) == 0
            && (DescriptorTable & 15) == 0 && (AvailableRing & 1) == 0 && (UsedRing & 3) == 0
            && _memory.IsMemory(DescriptorTable, Size * DescriptorSize, false)
            && _memory.IsMemory(AvailableRing, 6 + Size * 2, false)
            && _memory.IsMemory(UsedRing, 6 + Size * 8, true);
        if (!isPossible)
            return Break("its size or its addresses are impossible");
        IsEnabled = true;
        return true;
    }

    /// <summary>Takes the next request. False: there is none, or the queue is broken.</summary>
    public bool TryTake(VirtioRequest request)
    {
        if (!IsEnabled || Fault is not null)
            return false;
        if (!_memory.TryLoad16(AvailableRing + 2, out ushort index))
            return Break("its available ring is no memory");
        ushort waiting = (ushort)(index - _nextAvailable);
        if (waiting == 0)
            return AskForNotification() && TryTakeLate(request);
        if (waiting > Size)
            return Break("more is available than it has entries");
        return Take(request);
    }

    /// <summary>Gives a request back. False: the queue is broken.</summary>
    /// <param name="request">The request.</param>
    /// <param name="written">Bytes written to its writable buffer, from the start.</param>
    public bool TryComplete(VirtioRequest request, uint written)
    {
        if (!IsEnabled || Fault is not null)
            return false;
        Span<byte> element = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(element, request.Head);
        BinaryPrimitives.WriteUInt32LittleEndian(element[4..], written);
        ulong place = UsedRing + 4 + (ulong)(_nextUsed & (Size - 1)) * 8;
        _nextUsed++;
        return (_memory.TryWrite(place, element) && _memory.TryStore16(UsedRing + 2, _nextUsed)) || Break("its used ring is no memory");
    }

    /// <summary>Whether the driver wants to hear of what was completed since this was last asked.</summary>
    public bool TakeInterruptWish()
    {
        if (!IsEnabled || Fault is not null || _signalledUsed == _nextUsed)
            return false;
        ushort before = _signalledUsed;
        _signalledUsed = _nextUsed;
        // The used index must be out before the driver's wish is read: it looks at the one after it has written the other.
        Interlocked.MemoryBarrier();
        if (!HasEventIndex)
            return _memory.TryLoad16(AvailableRing, out ushort flags) && (flags & NoInterrupt) == 0;
        // The driver wants to hear when the index passes its event (2.7.7.2).
        return _memory.TryLoad16(AvailableRing + 4 + (ulong)Size * 2, out ushort wanted)
            && (ushort)(_nextUsed - wanted - 1) < (ushort)(_nextUsed - before);
    }

    /// <summary>Marks the queue broken; always false.</summary>
    public bool Break(string fault)
    {
        Fault ??= fault;
        return false;
    }

    public void ExchangeState(DeviceStateExchange state)
    {
        ushort size = Size;
        bool isEnabled = IsEnabled;
        bool isBroken = Fault is not null;
        ulong descriptors = DescriptorTable;
        ulong available = AvailableRing;
        ulong used = UsedRing;
        state.Require("maximum-size", MaximumSize);
        state.Value("size", ref size);
        state.Value("enabled", ref isEnabled);
        state.Value("broken", ref isBroken);
        state.Value("descriptor-table", ref descriptors);
        state.Value("available-ring", ref available);
        state.Value("used-ring", ref used);
        state.Value("next-available", ref _nextAvailable);
        state.Value("next-used", ref _nextUsed);
        state.Value("signalled-used", ref _signalledUsed);
        if (!state.IsLoading)
            return;
        Size = size;
        DescriptorTable = descriptors;
        AvailableRing = available;
        UsedRing = used;
        IsEnabled = isEnabled;
        Fault = isBroken ? "it was broken when it was saved" : null;
        if (isEnabled && (size == 0 || size > MaximumSize || (size & (size - 1)) != 0 || (available & 1) != 0 || (used & 3) != 0))
            throw state.Refuse("size", "or an address cannot be that of an enabled queue");
    }

    // The next notification is wanted for what comes after; what came meanwhile is taken at once.
    private bool AskForNotification()
    {
        if (!HasEventIndex)
            return false;
        if (!_memory.TryStore16(UsedRing + 4 + (ulong)Size * 8, _nextAvailable))
            return Break("its used ring is no memory");
        Interlocked.MemoryBarrier();
        return true;
    }

    private bool TryTakeLate(VirtioRequest request)
    {
        if (!_memory.TryLoad16(AvailableRing + 2, out ushort index) || index == _nextAvailable)
            return false;
        return (ushort)(index - _nextAvailable) > Size ? Break("more is available than it has entries") : Take(request);
    }

    private bool Take(VirtioRequest request)
    {
        if (!_memory.TryLoad16(AvailableRing + 4 + (ulong)(_nextAvailable & (Size - 1)) * 2, out ushort head))
            return Break("its available ring is no memory");
        if (head >= Size)
            return Break("a request begins outside its descriptor table");
        request.Begin(head);
        if (!Walk(request, DescriptorTable, Size, head, true))
            return false;
        _nextAvailable++;
        return true;
    }

    private bool Walk(VirtioRequest request, ulong table, uint count, uint first, bool mayBeIndirect)
    {
        Span<byte> descriptor = stackalloc byte[DescriptorSize];
        uint index = first;
        // A chain that is longer than its table goes in a circle.
        for (uint seen = 0; seen < count; seen++)
        {
            if (!_memory.TryRead(table + (ulong)index * DescriptorSize, descriptor))
                return Break("a descriptor table is no memory");
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(descriptor);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[8..]);
            ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[12..]);
            if ((flags & IsIndirect) != 0)
            {
                bool isPossible = mayBeIndirect && HasIndirect && (flags & HasNext) == 0 && length != 0 && length % DescriptorSize == 0
                    && address <= ulong.MaxValue - length;
                return isPossible
                    ? Walk(request, address, length / DescriptorSize, 0, false)
                    : Break("an indirect descriptor is impossible");
            }
            if (!request.TryAdd(new VirtioSegment(address, length), (flags & DeviceWrites) != 0))
                return Break("a request has too many pieces, or pieces in the wrong order");
            if ((flags & HasNext) == 0)
                return true;
            index = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[14..]);
            if (index >= count)
                return Break("a descriptor's next is outside its table");
        }
        return Break("a chain of descriptors has no end");
    }
}
