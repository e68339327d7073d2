namespace Vmm.Devices.Tests;

/// <summary>A driver's side of a virtio device, over either transport, with one ring of each queue at a fixed place.</summary>
internal abstract class TestDriver(GuestRam ram)
{
    public const int QueueSize = 16;
    public const ulong Version1 = 1ul << 32;
    public const ulong EventIndex = 1ul << 29;
    public const ulong Indirect = 1ul << 28;

    private const ulong RingArea = 0x1_0000;
    private readonly ushort[] _submitted = new ushort[4];
    private readonly ushort[] _seen = new ushort[4];

    public GuestRam Ram { get; } = ram;

    public abstract byte Status { get; set; }

    public abstract bool InterruptPending { get; }

    public static ulong Descriptors(int queue) => RingArea + (ulong)queue * 0x1000;

    public static ulong Available(int queue) => Descriptors(queue) + 0x400;

    public static ulong Used(int queue) => Descriptors(queue) + 0x800;

    public abstract ulong ReadFeatures();

    public abstract void WriteFeatures(ulong features);

    public abstract void SetUpQueue(int queue, int size, ulong descriptors, ulong available, ulong used);

    public abstract void EnableQueue(int queue);

    public abstract void Notify(int queue);

    public abstract void AcknowledgeInterrupt();

    public abstract ulong ReadConfiguration(int offset, int size);

    public abstract void WriteConfiguration(int offset, int size, uint value);

    /// <summary>Brings the device up with some features and empty queues.</summary>
    public void Start(ulong features, int queues = 1)
    {
        Status = 0;
        Array.Clear(_submitted);
        Array.Clear(_seen);
        Status = 1;
        Status = 3;
        WriteFeatures(features);
        Status = 11;
        Status.Should().Be(11, "the features were accepted");
        for (int queue = 0; queue < queues; queue++)
        {
            Ram.Write(Descriptors(queue), new byte[0x1000]);
            SetUpQueue(queue, QueueSize, Descriptors(queue), Available(queue), Used(queue));
            EnableQueue(queue);
        }
        Status = 15;
    }

    public void Describe(int queue, int index, ulong address, uint length, int flags, int next) =>
        DescribeAt(Descriptors(queue) + (ulong)index * 16, address, length, flags, next);

    public void DescribeAt(ulong place, ulong address, uint length, int flags, int next)
    {
        Ram.Write64(place, address);
        Ram.Write32(place + 8, length);
        Ram.Write16(place + 12, flags);
        Ram.Write16(place + 14, next);
    }

    /// <summary>Makes a chain of buffers from descriptor 0 on and hands it over, without a notification.</summary>
    public void Submit(int queue, params (ulong Address, uint Length, bool Writable)[] buffers)
    {
        for (int index = 0; index < buffers.Length; index++)
        {
            int flags = (buffers[index].Writable ? 2 : 0) | (index + 1 < buffers.Length ? 1 : 0);
            Describe(queue, index, buffers[index].Address, buffers[index].Length, flags, index + 1);
        }
        MakeAvailable(queue, 0);
    }

    public void MakeAvailable(int queue, int head)
    {
        Ram.Write16(Available(queue) + 4 + (ulong)(_submitted[queue] % QueueSize) * 2, head);
        _submitted[queue]++;
        Ram.Write16(Available(queue) + 2, _submitted[queue]);
    }

    /// <summary>Goes on where another driver is, with the same rings.</summary>
    public void GoOnFrom(TestDriver other)
    {
        other._submitted.CopyTo(_submitted, 0);
        other._seen.CopyTo(_seen, 0);
    }

    /// <summary>The next used element, or null.</summary>
    public (uint Head, uint Length)? TakeUsed(int queue)
    {
        if (Ram.Read16(Used(queue) + 2) == _seen[queue])
            return null;
        ulong place = Used(queue) + 4 + (ulong)(_seen[queue]++ % QueueSize) * 8;
        return (Ram.Read32(place), Ram.Read32(place + 4));
    }
}
