namespace Vmm.Devices;

/// <summary>What a base address register decodes (PCI Local Bus 3.0, 6.2.5.1).</summary>
public enum PciBarKind
{
    /// <summary>I/O ports.</summary>
    Io,

    /// <summary>Memory below 4 GiB.</summary>
    Memory32,

    /// <summary>Memory anywhere; takes two registers.</summary>
    Memory64,
}
