namespace Vmm.Machines;

/// <summary>What a range of the memory map is, with the number that every boot protocol here uses for it (ACPI 15, "E820").</summary>
public enum MemoryRangeKind
{
    /// <summary>RAM that the guest may use.</summary>
    Usable = 1,

    /// <summary>Not for the guest's use.</summary>
    Reserved = 2,
}
