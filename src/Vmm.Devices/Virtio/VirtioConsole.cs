namespace Vmm.Devices;

/// <summary>A virtio console with one port (Virtual I/O Device 1.2, 5.3).</summary>
public sealed class VirtioConsole : VirtioDevice
{
    /// <summary>The most bytes that wait for the guest to take them.</summary>
    public const int InputLimit = 64 << 10;

    private const ushort QueueSize = 64;
    private const int InputQueue = 0;
    private const int OutputQueue = 1;
    private const ulong LongestOutput = 1 << 20;
    private const int RequestCost = 1 << 12;

    private readonly SerialOutput _output;
    private readonly byte[] _configuration = new byte[12];
    private readonly Queue<byte> _input = new();

    /// <summary>Makes a console.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="output">Takes what the guest sends, inside the device's lock.</param>
    public VirtioConsole(DeviceMemory memory, IMachineClock clock, SerialOutput output)
        : base(VirtioDeviceKind.Console, memory, clock, QueueSize, QueueSize)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        // The one port that there is without the multiport feature.
        _configuration[4] = 1;
    }

    internal override ReadOnlySpan<byte> Configuration => _configuration;

    private protected override ulong KindFeatures => 0;

    /// <summary>Sends to the guest. May be called from any thread.</summary>
    /// <param name="data">The bytes.</param>
    /// <returns>How many were taken: fewer than given once <see cref="InputLimit"/> bytes wait.</returns>
    public int Receive(ReadOnlySpan<byte> data)
    {
        int taken;
        lock (Gate)
        {
            taken = Math.Min(data.Length, InputLimit - _input.Count);
            foreach (byte value in data[..taken])
                _input.Enqueue(value);
        }
        Serve(InputQueue);
        return taken;
    }

    private protected override int ServeNext(int queue) => queue == InputQueue ? ServeInput() : ServeOutput();

    private protected override void ExchangeKindState(DeviceStateExchange state)
    {
        ReadOnlyMemory<byte> input = state.Bytes("input", _input.ToArray(), InputLimit);
        if (!state.IsLoading)
            return;
        _input.Clear();
        foreach (byte value in input.Span)
            _input.Enqueue(value);
    }

    private int ServeInput()
    {
        if (_input.Count == 0 || Take(InputQueue) is not { } request)
            return 0;
        ulong length = Math.Min(request.WritableLength, (ulong)_input.Count);
        VirtioCursor cursor = request.Cursor(true, 0, length);
        while (cursor.TryNext(out Span<byte> piece))
        {
            foreach (ref byte place in piece)
                place = _input.Dequeue();
            cursor.NotifyWritten();
        }
        if (cursor.Left != 0 || length == 0)
        {
            Break("a buffer for console input is no memory");
            return 0;
        }
        Complete(InputQueue, (uint)length);
        return RequestCost + (int)length;
    }

    private int ServeOutput()
    {
        if (Take(OutputQueue) is not { } request)
            return 0;
        VirtioCursor cursor = request.Cursor(false, 0, request.ReadableLength);
        if (cursor.Left > LongestOutput)
        {
            Break("console output of more than 1 MiB");
            return 0;
        }
        while (cursor.TryNext(out Span<byte> piece))
            _output(piece);
        if (cursor.Left != 0)
        {
            Break("console output is no memory");
            return 0;
        }
        Complete(OutputQueue, 0);
        return RequestCost + (int)request.ReadableLength;
    }
}
