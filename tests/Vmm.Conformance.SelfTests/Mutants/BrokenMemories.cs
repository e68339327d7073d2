using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>Accepts overlapping mappings.</summary>
internal sealed class OverlapAccepted(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition,
    inner)
{
    public override void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false) =>
        base.Map(address, memory, offset, length, access, true);
}

/// <summary>Takes the first page of a range for the whole when unmapping.</summary>
internal sealed class UnmapsOnePage(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition, inner)
{
    public override void Unmap(ulong address, ulong length) => base.Unmap(address, Math.Min(length, 0x1000));
}

/// <summary>Unmaps high memory late: a while after the call has returned.</summary>
internal sealed class UnmapLate(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition, inner)
{
    public override void Unmap(ulong address, ulong length)
    {
        if (address < GuestLayout.HighMemory || address >= GuestLayout.End)
        {
            base.Unmap(address, length);
            return;
        }
        ThreadPool.QueueUserWorkItem(_ =>
        {
            Thread.Sleep(100);
            try
            {
                base.Unmap(address, length);
            }
            catch (ObjectDisposedException)
            {
                // The case was faster.
            }
        });
    }
}

/// <summary>Loses the dirty bits of every other page.</summary>
internal sealed class DirtyBitsDropped(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition,
    inner)
{
    public override ulong PeekDirty(ulong address, ulong length, Span<ulong> bitmap)
    {
        base.PeekDirty(address, length, bitmap);
        ulong count = 0;
        foreach (ref ulong word in bitmap)
        {
            word &= 0x5555_5555_5555_5555;
            count += ulong.PopCount(word);
        }
        return count;
    }
}

/// <summary>Protect that grants more than asked: writes stay allowed.</summary>
internal sealed class ProtectKeepsWrites(DecoratedPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition,
    inner)
{
    public override void Protect(ulong address, ulong length, GuestAccess access) => base.Protect(address, length,
        access | GuestAccess.ReadWrite);
}
