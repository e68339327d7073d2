using System.Buffers.Binary;

namespace Vmm.Devices;

/// <summary>
/// The receiving half of a 16550A: the FIFO (or the single buffer register), and the host's bytes that wait for room in it.
/// </summary>
internal sealed class UartReceiver
{
    public const int FifoSize = 16;

    private readonly ushort[] _fifo = new ushort[FifoSize];
    private readonly ushort[] _waiting;
    private int _head;
    private int _waitingHead;
    private byte _last;

    /// <param name="waitingLimit">How many of the host's bytes may wait.</param>
    public UartReceiver(int waitingLimit) => _waiting = new ushort[waitingLimit];

    public int Count { get; private set; }

    public int WaitingCount { get; private set; }

    public int WaitingRoom => _waiting.Length - WaitingCount;

    public bool FifoEnabled { get; set; }

    public bool IsFull => Count >= (FifoEnabled ? FifoSize : 1);

    /// <summary>The byte that would be read next, its error bits (of the line status register) above it.</summary>
    public ushort Top => Count > 0 ? _fifo[_head] : (ushort)0;

    public bool HasErrors
    {
        get
        {
            for (int index = 0; index < Count; index++)
            {
                if (_fifo[(_head + index) % FifoSize] > 0xFF)
                    return true;
            }
            return false;
        }
    }

    /// <summary>Puts a character into the FIFO. False when it is full: an overrun.</summary>
    public bool Push(ushort character)
    {
        if (IsFull)
        {
            // Without the FIFO the new byte replaces the old one; with it, the new one is lost (data sheet, LSR1).
            if (!FifoEnabled)
                _fifo[_head] = character;
            return false;
        }
        _fifo[(_head + Count++) % FifoSize] = character;
        return true;
    }

    public byte Pop()
    {
        // The single buffer register still has the byte read last; the FIFO gives nothing.
        if (Count == 0)
            return FifoEnabled ? (byte)0 : _last;
        byte value = _last = (byte)_fifo[_head];
        _head = (_head + 1) % FifoSize;
        Count--;
        return value;
    }

    public void ClearTopErrors() => _fifo[_head] &= 0xFF;

    public void Clear() => Count = 0;

    public void Wait(ushort character) => _waiting[(_waitingHead + WaitingCount++) % _waiting.Length] = character;

    public void ExchangeState(DeviceStateExchange state)
    {
        bool enabled = FifoEnabled;
        state.Value("fifo-enabled", ref enabled);
        FifoEnabled = enabled;
        state.Value("last", ref _last);
        Count = ExchangeRing(state, "fifo", _fifo, ref _head, Count, enabled ? FifoSize : 1);
        WaitingCount = ExchangeRing(state, "waiting", _waiting, ref _waitingHead, WaitingCount, _waiting.Length);
    }

    // Two bytes a character, the one that is read next first.
    private static int ExchangeRing(DeviceStateExchange state, string name, ushort[] ring, ref int head, int count, int limit)
    {
        byte[] bytes = new byte[2 * count];
        for (int index = 0; index < count; index++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * index), ring[(head + index) % ring.Length]);
        ReadOnlySpan<byte> taken = state.Bytes(name, bytes, 2 * limit).Span;
        if (!state.IsLoading)
            return count;
        if (taken.Length % 2 != 0)
            throw state.Refuse(name, "has half a character");
        head = 0;
        for (int index = 0; index < taken.Length / 2; index++)
            ring[index] = BinaryPrimitives.ReadUInt16LittleEndian(taken[(2 * index)..]);
        return taken.Length / 2;
    }

    /// <summary>Moves what waits into the FIFO as far as it goes.</summary>
    /// <returns>Whether anything was moved.</returns>
    public bool Refill()
    {
        bool moved = false;
        while (WaitingCount > 0 && !IsFull)
        {
            Push(_waiting[_waitingHead]);
            _waitingHead = (_waitingHead + 1) % _waiting.Length;
            WaitingCount--;
            moved = true;
        }
        return moved;
    }
}
