using System.Security.Cryptography;

namespace Vmm.Devices;

/// <summary>A virtio source of random numbers (Virtual I/O Device 1.2, 5.4).</summary>
public sealed class VirtioEntropy : VirtioDevice
{
    private const ushort QueueSize = 64;
    private const int LongestAnswer = 64 << 10;
    private const int RequestCost = 1 << 12;

    private readonly EntropySource _source;

    /// <summary>Makes a source.</summary>
    /// <param name="memory">The guest's memory.</param>
    /// <param name="clock">The machine's clock.</param>
    /// <param name="source">Where the numbers come from; null = the host's cryptographic generator.</param>
    public VirtioEntropy(DeviceMemory memory, IMachineClock clock, EntropySource? source = null)
        : base(VirtioDeviceKind.Entropy, memory, clock, QueueSize) => _source = source ?? RandomNumberGenerator.Fill;

    internal override ReadOnlySpan<byte> Configuration => [];

    private protected override ulong KindFeatures => 0;

    private protected override int ServeNext(int queue)
    {
        if (Take(queue) is not { } request)
            return 0;
        // A device may give less than was asked for, but not nothing.
        ulong length = Math.Min(request.WritableLength, LongestAnswer);
        VirtioCursor cursor = request.Cursor(true, 0, length);
        while (cursor.TryNext(out Span<byte> piece))
        {
            _source(piece);
            cursor.NotifyWritten();
        }
        if (cursor.Left != 0 || length == 0)
        {
            Break("a request for random numbers has no memory to fill");
            return 0;
        }
        Complete(queue, (uint)length);
        return RequestCost + (int)length;
    }
}
