namespace Vmm.Machines;

/// <summary>One range of the memory map that a guest is told.</summary>
/// <param name="Start">The first guest-physical address.</param>
/// <param name="Length">Its length in bytes, not 0.</param>
/// <param name="Kind">What it is.</param>
public readonly record struct MemoryRange(ulong Start, ulong Length, MemoryRangeKind Kind)
{
    /// <summary>The address after the last one.</summary>
    public ulong End => Start + Length;
}
