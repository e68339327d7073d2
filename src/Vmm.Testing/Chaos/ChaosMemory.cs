namespace Vmm.Testing;

/// <summary>An address space whose host is short of memory.</summary>
internal sealed class ChaosMemory(ChaosPartition partition, ISecondLevelAddressTranslation inner) : DecoratedMemory(partition, inner)
{
    public override void Map(ulong address, GuestMemory memory, ulong offset, ulong length, GuestAccess access, bool replace = false)
    {
        partition.Refuse("Map", length);
        base.Map(address, memory, offset, length, access, replace);
    }
}
