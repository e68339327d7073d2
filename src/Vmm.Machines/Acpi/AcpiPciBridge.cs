namespace Vmm.Machines;

/// <summary>A PCI host bridge with bus 0, as the tables tell it.</summary>
internal sealed record AcpiPciBridge
{
    /// <summary>The first address of the window for devices' memory.</summary>
    public required ulong MemoryStart { get; init; }

    /// <summary>The address after the window's last.</summary>
    public required ulong MemoryEnd { get; init; }

    /// <summary>The ISA interrupt requests of the lines PIRQA# to PIRQD#, for a guest that uses the 8259A pair; 0 = none.</summary>
    public IReadOnlyList<int> IsaRoutes { get; init; } = [0, 0, 0, 0];

    /// <summary>The line, 0 = PIRQA# to 3 = PIRQD#, of a device's pin, by device number (0-31) and pin (0 = INTA# to 3 = INTD#).</summary>
    public required Func<int, int, int> LineOf { get; init; }

    /// <summary>The global system interrupt of PIRQA#; the others follow.</summary>
    public int FirstInterrupt { get; init; } = 16;
}
