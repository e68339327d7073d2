namespace Vmm.Machines;

/// <summary>A program header of an ELF file.</summary>
internal readonly record struct ElfSegment(
    uint Type, ulong Offset, ulong VirtualAddress, ulong PhysicalAddress, ulong FileSize, ulong MemorySize)
{
    public const uint Load = 1;
    public const uint Note = 4;
}
