namespace Vmm.Devices;

/// <summary>
/// Keys of the firmware configuration device's items that are not files (QEMU, "QEMU Firmware Configuration (fw_cfg) Device").
/// </summary>
public enum FirmwareConfigurationItem : ushort
{
    /// <summary>Four letters by which firmware knows the device.</summary>
    Signature = 0x00,

    /// <summary>What the interface can do, 32 bits: bit 0 always, bit 1 for direct memory access.</summary>
    Features = 0x01,

    /// <summary>The machine's UUID, 16 bytes.</summary>
    Uuid = 0x02,

    /// <summary>Bytes of RAM, 64 bits.</summary>
    MemorySize = 0x03,

    /// <summary>Number of processors, 16 bits.</summary>
    ProcessorCount = 0x05,

    /// <summary>Where the kernel is to be loaded, 32 bits.</summary>
    KernelAddress = 0x07,

    /// <summary>Bytes of <see cref="KernelData"/>, 32 bits.</summary>
    KernelSize = 0x08,

    /// <summary>Where the initial RAM disk is to be loaded, 32 bits.</summary>
    RamDiskAddress = 0x0A,

    /// <summary>Bytes of <see cref="RamDiskData"/>, 32 bits.</summary>
    RamDiskSize = 0x0B,

    /// <summary>Nodes of memory, 64 bits each, after their number.</summary>
    MemoryNodes = 0x0D,

    /// <summary>Whether to show a boot menu, 16 bits.</summary>
    BootMenu = 0x0E,

    /// <summary>Number that is above every processor's APIC id, 16 bits.</summary>
    ProcessorLimit = 0x0F,

    /// <summary>The kernel.</summary>
    KernelData = 0x11,

    /// <summary>The initial RAM disk.</summary>
    RamDiskData = 0x12,

    /// <summary>Where the command line is to be loaded, 32 bits.</summary>
    CommandLineAddress = 0x13,

    /// <summary>Bytes of <see cref="CommandLineData"/>, with its terminating zero, 32 bits.</summary>
    CommandLineSize = 0x14,

    /// <summary>The command line, terminated by a zero.</summary>
    CommandLineData = 0x15,

    /// <summary>Where the kernel's real-mode part is to be loaded, 32 bits.</summary>
    SetupAddress = 0x16,

    /// <summary>Bytes of <see cref="SetupData"/>, 32 bits.</summary>
    SetupSize = 0x17,

    /// <summary>The kernel's real-mode part.</summary>
    SetupData = 0x18,

    /// <summary>The directory of files.</summary>
    FileDirectory = 0x19,
}
