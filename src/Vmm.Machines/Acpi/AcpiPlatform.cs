namespace Vmm.Machines;

/// <summary>What the tables tell about a machine.</summary>
internal sealed record AcpiPlatform
{
    /// <summary>Number of processors; their APIC ids are 0 and up.</summary>
    public int ProcessorCount { get; init; } = 1;

    /// <summary>Whether there are local APICs and an I/O APIC.</summary>
    public bool HasApics { get; init; } = true;

    /// <summary>First port of the power-management registers.</summary>
    public ushort PowerManagementPort { get; init; } = Devices.AcpiPowerManagement.StandardPort;

    /// <summary>Whether there is a VGA.</summary>
    public bool HasVideo { get; init; }

    /// <summary>CPUID leaf 1, EAX: the processors' signature.</summary>
    public uint ProcessorSignature { get; init; }

    /// <summary>CPUID leaf 1, EDX: the processors' features.</summary>
    public uint ProcessorFeatures { get; init; }

    /// <summary>The PCI host bridge; null = none.</summary>
    public AcpiPciBridge? Pci { get; init; }

    /// <summary>virtio devices in memory.</summary>
    public IReadOnlyList<VirtioMmioWindow> VirtioWindows { get; init; } = [];

    /// <summary>Writes further objects into \_SB.</summary>
    public Action<AmlWriter>? Describe { get; init; }
}
