namespace Vmm.Replay;

/// <summary>The address spaces of both guests, changed together and read from the first.</summary>
internal sealed class LockstepMemory(LockstepPartition partition) : ISecondLevelAddressTranslation
{
    private ISecondLevelAddressTranslation First => partition.First.Memory;

    private ISecondLevelAddressTranslation Second => partition.Second.Memory;

    public SlatFormat? Format => First.Format;

    public int AddressBits => partition.Capabilities.PhysicalAddressBits;

    public IReadOnlyList<MappedRegion> Regions => First.Regions;

    public SlatStatistics Statistics => First.Statistics;

    public void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false)
    {
        partition.Align();
        First.Map(address, memory, offset, length, access, replace);
        Second.Map(address, partition.Mirror.TwinOf(memory), offset, length, access, replace);
        partition.Mirror.Remap();
    }

    public void Unmap(ulong address, ulong length)
    {
        partition.Align();
        First.Unmap(address, length);
        Second.Unmap(address, length);
        partition.Mirror.Remap();
    }

    public void Protect(ulong address, ulong length, GuestAccess access)
    {
        partition.Align();
        First.Protect(address, length, access);
        Second.Protect(address, length, access);
        partition.Mirror.Remap();
    }

    public void Read(ulong address, Span<byte> destination) => First.Read(address, destination);

    public void Write(ulong address, ReadOnlySpan<byte> source)
    {
        partition.Align();
        First.Write(address, source);
        Second.Write(address, source);
    }

    public ulong CompareExchange(ulong address, int size, ulong expected, ulong replacement)
    {
        partition.Align();
        Second.CompareExchange(address, size, expected, replacement);
        return First.CompareExchange(address, size, expected, replacement);
    }

    public bool TryGetSpan(ulong address, int length, bool write, out Span<byte> span) => First.TryGetSpan(address, length, write, out span);

    public void NotifyWritten(ulong address, ulong length)
    {
        First.NotifyWritten(address, length);
        byte[] piece = new byte[Math.Min(length, 1 << 16)];
        for (ulong done = 0; done < length; done += (ulong)piece.Length)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min((ulong)piece.Length, length - done));
            First.Read(address + done, part);
            Second.Write(address + done, part);
        }
    }

    public PhysicalTranslationResult Translate(ulong address, GuestAccess access) => First.Translate(address, access);

    public void TrackDirty(ulong address, ulong length, bool enable)
    {
        partition.Capabilities.Require(Capability.DirtyTracking);
        First.TrackDirty(address, length, enable);
    }

    public ulong GetAndClearDirty(ulong address, ulong length, Span<ulong> bitmap) => First.GetAndClearDirty(address, length, bitmap);

    public ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap) => First.PeekDirty(address, length, bitmap);

    public IDisposable RegisterDoorbell(in Doorbell doorbell, EventWaitHandle signal)
    {
        partition.Capabilities.Require(Capability.Doorbells);
        ManualResetEvent unheard = new(false);
        return new Registration(First.RegisterDoorbell(in doorbell, signal), Second.RegisterDoorbell(in doorbell, unheard), unheard);
    }

    private sealed class Registration(IDisposable first, IDisposable second, ManualResetEvent unheard) : IDisposable
    {
        public void Dispose()
        {
            first.Dispose();
            second.Dispose();
            unheard.Dispose();
        }
    }
}
