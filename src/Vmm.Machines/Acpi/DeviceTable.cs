using System.Globalization;
using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>The table of devices, DSDT (ACPI 6.4, 5.2.11.1).</summary>
internal static class DeviceTable
{
    private const byte Revision = 2;
    private const string ApicMode = "PICF";
    private const int PciDeviceCount = 32;
    private const int PciPinCount = 4;

    public static byte[] Dsdt(AcpiPlatform platform)
    {
        AmlWriter aml = new();
        const ulong SoftOff = AcpiPowerManagement.SoftOffSleepType;
        aml.Name(@"\_S5", AmlValue.Package(SoftOff, SoftOff, 0, 0));
        // The guest says here which interrupt controllers it uses.
        aml.Name(ApicMode, 0);
        aml.Method("_PIC", 1, () => aml.StoreArgument(0, ApicMode));
        aml.Scope(@"\_SB", () =>
        {
            for (int id = 0; id < platform.ProcessorCount; id++)
                AddProcessor(aml, id);
            if (platform.Pci is { } bridge)
                AddPciBridge(aml, bridge);
            AddBoard(aml, platform);
            for (int index = 0; index < platform.VirtioWindows.Count; index++)
                AddVirtio(aml, index, platform.VirtioWindows[index]);
            platform.Describe?.Invoke(aml);
        });
        AcpiTable table = new("DSDT", Revision);
        table.Bytes(aml.ToArray());
        return table.Finish();
    }

    private static string Numbered(string letters, int number) => letters + number.ToString("X" + (4 - letters.Length), CultureInfo.InvariantCulture);

    private static void AddDevice(AmlWriter aml, string name, AmlValue identifier, ulong unique, ResourceTemplate resources) =>
        aml.Device(name, () =>
        {
            aml.Name("_HID", identifier);
            aml.Name("_UID", unique);
            aml.Name("_CRS", resources.ToValue());
        });

    private static void AddProcessor(AmlWriter aml, int id) => aml.Device(Numbered("C", id), () =>
    {
        aml.Name("_HID", "ACPI0007");
        aml.Name("_UID", (ulong)id);
    });

    private static void AddBoard(AmlWriter aml, AcpiPlatform platform)
    {
        AddDevice(
            aml, "PIC", AmlValue.EisaId("PNP0000"), 0, new ResourceTemplate().Ports(0x20, 2).Ports(0xA0, 2).Ports(0x4D0, 2).IsaInterrupt(2));
        AddDevice(aml, "PIT", AmlValue.EisaId("PNP0100"), 0, new ResourceTemplate().Ports(0x40, 4).IsaInterrupt(0));
        AddDevice(aml, "RTC", AmlValue.EisaId("PNP0B00"), 0, new ResourceTemplate().Ports(0x70, 2).IsaInterrupt(8));
        AddDevice(aml, "KBD", AmlValue.EisaId("PNP0303"), 0, new ResourceTemplate().Ports(0x60, 1).Ports(0x64, 1).IsaInterrupt(1));
        AddDevice(aml, "COM1", AmlValue.EisaId("PNP0501"), 1, new ResourceTemplate().Ports(0x3F8, 8).IsaInterrupt(4));

        ResourceTemplate board = new ResourceTemplate()
            .Ports(0x61, 1).Ports(0x92, 1).Ports(platform.PowerManagementPort, AcpiPowerManagement.Alignment);
        if (platform.HasApics)
            board.Memory((uint)IoApic.StandardAddress, (uint)IoApic.Length).Memory(InterruptTable.LocalApicAddress, 0x1000);
        AddDevice(aml, "MBRD", AmlValue.EisaId("PNP0C02"), 0, board);
    }

    // The identifier under which Linux, and others after it, know virtio devices in memory.
    private static void AddVirtio(AmlWriter aml, int index, VirtioMmioWindow window) => aml.Device(Numbered("VR", index), () =>
    {
        aml.Name("_HID", "LNRO0005");
        aml.Name("_UID", (ulong)index);
        aml.Name("_CCA", 1);
        aml.Name("_CRS", new ResourceTemplate().Memory(window.Address, window.Length)
            .Interrupt(InterruptRouter.InputOf(window.Line), levelTriggered: true, shared: true).ToValue());
    });

    private static void AddPciBridge(AmlWriter aml, AcpiPciBridge bridge) => aml.Device("PCI0", () =>
    {
        aml.Name("_HID", AmlValue.EisaId("PNP0A03"));
        aml.Name("_UID", 0);
        aml.Name("_BBN", 0);
        aml.Name("_CRS", new ResourceTemplate()
            .BridgedBuses(0, 255)
            .Ports(0xCF8, 8)
            .BridgedPorts(0x0, 0xCF7)
            .BridgedPorts(0xD00, 0xFFFF)
            .BridgedMemory(0xA_0000, 0xB_FFFF)
            .BridgedMemory(bridge.MemoryStart, bridge.MemoryEnd - 1)
            .ToValue());
        aml.Method("_PRT", 0, () =>
        {
            aml.If(ApicMode, () => aml.Return(Routes(bridge, line => bridge.FirstInterrupt + line)));
            aml.Return(Routes(bridge, line => bridge.IsaRoutes[line]));
        });
    });

    // ACPI 6.4, 6.2.13: address of the device, pin, source (0 = a global system interrupt), its number.
    private static AmlValue Routes(AcpiPciBridge bridge, Func<int, int> interruptOf)
    {
        List<AmlValue> routes = [];
        for (int device = 0; device < PciDeviceCount; device++)
        {
            for (int pin = 0; pin < PciPinCount; pin++)
            {
                int interrupt = interruptOf(bridge.LineOf(device, pin));
                if (interrupt != 0)
                    routes.Add(AmlValue.Package((ulong)device << 16 | 0xFFFF, (ulong)pin, 0, (ulong)interrupt));
            }
        }
        return AmlValue.Package([.. routes]);
    }
}
