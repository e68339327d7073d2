namespace Vmm.Machines;

/// <summary>A new partition's memory, for the loader.</summary>
internal sealed class PartitionMemory(ISecondLevelAddressTranslation memory, MemoryMap map) : IBootMemory
{
    public MemoryMap Map { get; } = map;

    public ulong AcpiRootPointer { get; init; }

    public void Write(ulong address, ReadOnlySpan<byte> data)
    {
        if (!data.IsEmpty)
            memory.Write(address, data);
    }

    // Allocated memory is zero, a loader never places one thing on another, and untouched pages cost the host nothing.
    public void Clear(ulong address, ulong length)
    {
    }
}
