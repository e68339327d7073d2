using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>
/// The PCI part of a PC: bus 0 with the 440FX host bridge at 0.0 and the PIIX ISA bridge at 1.0. Further functions go to device 2 and up,
/// power management to 1.3.
/// </summary>
public sealed class PciChipset
{
    private const int IsaDevice = 1;
    private const int PowerManagementFunction = 3;

    // Below the I/O APIC and firmware at the top of 4 GiB, above the highest address of low RAM.
    internal const uint MemoryWindow = 0xE000_0000;
    internal const uint MemoryWindowEnd = 0xFE00_0000;

    // What firmware may choose from.
    internal const uint FirmwareMemoryWindow = 0xC000_0000;
    internal const uint FirmwareMemoryWindowEnd = 0xFEC0_0000;

    private const ushort PortWindow = 0xC000;
    private const ushort EdgeLevelControl = 0x4D0;

    private readonly PortBus _ports;

    /// <summary>Makes the bus and its bridges.</summary>
    /// <param name="ports">The machine's port bus.</param>
    /// <param name="mmio">The machine's bus of memory-mapped devices.</param>
    /// <param name="isaLine">Gives the wire of an ISA interrupt request.</param>
    /// <param name="directLines">Four wires that follow PIRQA# to PIRQD# directly, such as I/O APIC inputs 16 to 19; or none.</param>
    public PciChipset(
        PortBus ports, MmioBus mmio, Func<int, IInterruptLine> isaLine, IReadOnlyList<IInterruptLine>? directLines = null)
    {
        _ports = ports;
        Bus = new PciBus(ports, mmio);
        IsaBridge = new PiixIsaBridge(isaLine, directLines);
        Bus.Add(0, 0, HostBridge);
        Bus.Add(IsaDevice, 0, IsaBridge);
        Bus.ConnectInterrupts(IsaBridge.SetLine);
    }

    /// <summary>The bus.</summary>
    public PciBus Bus { get; }

    /// <summary>The host bridge.</summary>
    public HostBridge440Fx HostBridge { get; } = new();

    /// <summary>The ISA bridge, which routes interrupts.</summary>
    public PiixIsaBridge IsaBridge { get; }

    /// <summary>Adds the power-management function, which places a block of 64 ports.</summary>
    /// <param name="block">The block's registers, by offset.</param>
    /// <param name="initialBase">Its first port at power-on; 0 = firmware places it.</param>
    public PiixPowerManagement AddPowerManagement(IMmioDevice block, ushort initialBase)
    {
        PiixPowerManagement function = new(_ports, block, initialBase);
        Bus.Add(IsaDevice, PowerManagementFunction, function);
        return function;
    }

    /// <summary>The ISA interrupt request to which <see cref="PrepareForSystem"/> routes a line, 0 = PIRQA# to 3 = PIRQD#.</summary>
    internal static int RouteOf(int line) => line < 2 ? 10 : 11;

    /// <summary>
    /// Does what firmware does before it starts a system: makes the legacy area RAM, places windows, and routes interrupts (PIRQA# and
    /// PIRQB# to request 10, the others to 11, level-triggered). For machines that start a kernel without firmware.
    /// </summary>
    public void PrepareForSystem()
    {
        HostBridge.EnableShadow();
        for (int line = 0; line < 4; line++)
            Bus.WriteConfiguration(IsaDevice, 0, PiixIsaBridge.RouteControl + line, 1, (uint)RouteOf(line));
        _ports.Write(EdgeLevelControl, 2, 0x0C00);
        PciPlacement.Place(Bus, MemoryWindow, MemoryWindowEnd, PortWindow);
    }
}
