namespace Vmm.Machines;

/// <summary>How a machine's virtio devices are found by the guest.</summary>
public enum VirtioTransportKind
{
    /// <summary>As PCI functions, with MSI-X where there are local APICs.</summary>
    Pci,

    /// <summary>As memory-mapped registers that the ACPI tables tell of.</summary>
    MemoryMapped,
}
