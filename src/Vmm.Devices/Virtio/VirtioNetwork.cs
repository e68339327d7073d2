using System.Security.Cryptography;

namespace Vmm.Devices;

/// <summary>A virtio network card with one pair of queues and no offloads (Virtual I/O Device 1.2, 5.1).</summary>
public sealed class VirtioNetwork : VirtioDevice
{
    /// <summary>The longest Ethernet frame, without its checksum.</summary>
    public const int LongestFrame = 1514;

    private const int HasAddress = 5;
    private const int HasStatus = 16;
    private const ushort QueueSize = 256;
    private const int InputQueue = 0;
    private const int OutputQueue = 1;
    private const int HeaderSize = 12;
    private const int AddressSize = 6;
    private const int StatusOffset = 6;
    private const int MostWaiting = 1024;
    private const int RequestCost = 1 << 13;

    private readonly INetworkLink _link;
    private readonly byte[] _configuration = new byte[12];
    private readonly byte[] _frame = new byte[LongestFrame];
    private readonly Queue<byte[]> _input = new();

    /// <summary>Makes a card.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="link">What it is plugged into; it stays the caller's.</param>
    /// <param name="address">Its six-byte address; empty = a random, locally administered one.</param>
    public VirtioNetwork(DeviceMemory memory, IMachineClock clock, INetworkLink link, ReadOnlySpan<byte> address = default)
        : base(VirtioDeviceKind.Network, memory, clock, QueueSize, QueueSize)
    {
        ArgumentNullException.ThrowIfNull(link);
        if (address.Length is not (0 or AddressSize) || (address.Length != 0 && (address[0] & 1) != 0))
            throw new ArgumentException("The address of a network card has six bytes, the first of them even.", nameof(address));
        _link = link;
        if (address.IsEmpty)
        {
            RandomNumberGenerator.Fill(_configuration.AsSpan(0, AddressSize));
            _configuration[0] = (byte)((_configuration[0] & 0xFC) | 2);
        }
        else
        {
            address.CopyTo(_configuration);
        }
        _configuration[StatusOffset] = 1;
        link.Connect(Receive);
    }

    /// <summary>Frames for the guest that were dropped because too many waited.</summary>
    public ulong DroppedFrames { get; private set; }

    internal override ReadOnlySpan<byte> Configuration => _configuration;

    private protected override ulong KindFeatures => 1ul << HasAddress | 1ul << HasStatus;

    /// <summary>Sends a frame to the guest. May be called from any thread.</summary>
    /// <param name="frame">The frame, without its checksum, at most <see cref="LongestFrame"/> bytes.</param>
    public void Receive(ReadOnlySpan<byte> frame)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frame.Length, LongestFrame);
        byte[] copy = frame.ToArray();
        lock (Gate)
        {
            if (!IsLive || _input.Count >= MostWaiting)
            {
                DroppedFrames++;
                return;
            }
            _input.Enqueue(copy);
        }
        Serve(InputQueue);
    }

    private protected override int ServeNext(int queue) => queue == InputQueue ? ServeInput() : ServeOutput();

    private protected override void OnReset() => _input.Clear();

    // Frames under way are lost, as on any wire.
    private protected override void ExchangeKindState(DeviceStateExchange state) =>
        state.Bytes("address", _configuration.AsSpan(0, AddressSize));

    private int ServeInput()
    {
        if (_input.Count == 0 || Take(InputQueue) is not { } request)
            return 0;
        byte[] frame = _input.Dequeue();
        // No offloads: the header is zero but for the number of buffers, which is one.
        ReadOnlySpan<byte> header = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0];
        if (!request.TryWrite(0, header) || !request.TryWrite(HeaderSize, frame))
        {
            Break("a buffer for a frame is too small or no memory");
            return 0;
        }
        Complete(InputQueue, (uint)(HeaderSize + frame.Length));
        return RequestCost;
    }

    private int ServeOutput()
    {
        if (Take(OutputQueue) is not { } request)
            return 0;
        if (request.ReadableLength < HeaderSize)
        {
            Break("a frame without its header");
            return 0;
        }
        ulong length = request.ReadableLength - HeaderSize;
        if (length <= LongestFrame)
        {
            Span<byte> frame = _frame.AsSpan(0, (int)length);
            if (!request.TryRead(HeaderSize, frame))
            {
                Break("a frame is no memory");
                return 0;
            }
            _link.Send(frame);
        }
        Complete(OutputQueue, 0);
        return RequestCost;
    }
}
