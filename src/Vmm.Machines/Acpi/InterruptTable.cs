using Vmm.Devices;

namespace Vmm.Machines;

/// <summary>The table of interrupt controllers, MADT (ACPI 6.4, 5.2.12).</summary>
internal static class InterruptTable
{
    /// <summary>Where the local APICs' registers are after reset.</summary>
    public const uint LocalApicAddress = 0xFEE0_0000;

    private const byte Revision = 5;
    private const byte LocalApicEntry = 0;
    private const byte IoApicEntry = 1;
    private const byte OverrideEntry = 2;
    private const byte LocalNmiEntry = 4;
    private const byte LocalX2ApicEntry = 9;
    private const byte LocalX2NmiEntry = 10;
    private const uint HasPics = 1;
    private const uint Enabled = 1;
    private const int FirstX2ApicId = 255;

    private const ushort AsTheBus = 0;
    private const ushort ActiveHighLevel = 0xD;

    public static byte[] Madt(AcpiPlatform platform)
    {
        AcpiTable table = new("APIC", Revision);
        table.Add32(LocalApicAddress);
        table.Add32(HasPics);
        for (int id = 0; id < platform.ProcessorCount; id++)
            AddProcessor(table, (uint)id);

        table.Bytes([IoApicEntry, 12, 0, 0]);
        table.Add32((uint)IoApic.StandardAddress);
        table.Add32(0);

        AddOverride(table, 0, AsTheBus);
        AddOverride(table, FixedTable.SystemControlInterrupt, ActiveHighLevel);

        // Pin 1 of every local APIC is NMI.
        table.Bytes([LocalNmiEntry, 6, 0xFF, 0, 0, 1]);
        if (platform.ProcessorCount > FirstX2ApicId)
            table.Bytes([LocalX2NmiEntry, 12, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0]);
        return table.Finish();
    }

    private static void AddProcessor(AcpiTable table, uint id)
    {
        if (id < FirstX2ApicId)
        {
            table.Bytes([LocalApicEntry, 8, (byte)id, (byte)id]);
            table.Add32(Enabled);
            return;
        }
        table.Bytes([LocalX2ApicEntry, 16, 0, 0]);
        table.Add32(id);
        table.Add32(Enabled);
        table.Add32(id);
    }

    private static void AddOverride(AcpiTable table, int line, ushort flags)
    {
        table.Bytes([OverrideEntry, 10, 0, (byte)line]);
        table.Add32((uint)InterruptRouter.InputOf(line));
        table.Add16(flags);
    }
}
