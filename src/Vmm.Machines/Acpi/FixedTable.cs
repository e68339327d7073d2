namespace Vmm.Machines;

/// <summary>The tables of fixed hardware: FADT and FACS (ACPI 6.4, 5.2.9 and 5.2.10).</summary>
internal static class FixedTable
{
    /// <summary>The system control interrupt: ISA interrupt request 9.</summary>
    public const int SystemControlInterrupt = 9;

    private const byte FadtRevision = 6;
    private const int FacsLength = 64;
    private const int MostProcessorsLogically = 8;

    private const ushort LegacyDevices = 1 << 0;
    private const ushort KeyboardController = 1 << 1;
    private const ushort NoVideo = 1 << 2;

    private const uint WriteBackInvalidate = 1 << 0;
    private const uint ProcessorHalts = 1 << 2;
    private const uint NoFixedSleepButton = 1 << 5;
    private const uint NoFixedClockWake = 1 << 6;
    private const uint HasResetRegister = 1 << 10;
    private const uint PhysicalDestinations = 1 << 19;

    private const ushort ResetPort = 0xCF9;
    private const byte ResetValue = 0x06;
    private const ushort SlowerThanC2 = 101;
    private const ushort SlowerThanC3 = 1001;

    /// <summary>The firmware control structure: the global lock and the waking vector.</summary>
    public static byte[] Facs()
    {
        byte[] facs = new byte[FacsLength];
        "FACS"u8.CopyTo(facs);
        facs[4] = FacsLength;
        facs[32] = 2;
        return facs;
    }

    /// <summary>The fixed description table.</summary>
    public static byte[] Fadt(AcpiPlatform platform, uint facs, uint dsdt)
    {
        ushort events = platform.PowerManagementPort;
        ushort control = (ushort)(events + 4);
        ushort timer = (ushort)(events + 8);

        uint flags = WriteBackInvalidate | ProcessorHalts | NoFixedSleepButton | NoFixedClockWake | HasResetRegister;
        if (platform.ProcessorCount > MostProcessorsLogically)
            flags |= PhysicalDestinations;

        AcpiTable table = new("FACP", FadtRevision);
        table.Add32(facs);
        table.Add32(dsdt);
        table.Zeros(2);
        table.Add16(SystemControlInterrupt);
        // No SMI command port: the machine is in ACPI mode from the start.
        table.Zeros(8);
        table.Add32(events);
        table.Add32(0);
        table.Add32(control);
        table.Add32(0);
        table.Add32(0);
        table.Add32(timer);
        table.Zeros(8);
        // Lengths of the event, control, second control and timer registers.
        table.Bytes([4, 2, 0, 4]);
        table.Zeros(4);
        table.Add16(SlowerThanC2);
        table.Add16(SlowerThanC3);
        table.Zeros(6);
        // Where the clock's memory has alarm day, alarm month and century.
        table.Bytes([0, 0, 0x32]);
        table.Add16((ushort)(LegacyDevices | KeyboardController | (platform.HasVideo ? 0 : NoVideo)));
        table.Zeros(1);
        table.Add32(flags);
        table.AddPorts(ResetPort, 1, 1);
        table.Add8(ResetValue);
        table.Zeros(3);
        // The 32-bit pointer to the FACS is the valid one: they must not both be given.
        table.Add64(0);
        table.Add64(dsdt);
        table.AddPorts(events, 4, 2);
        table.AddPorts(0, 0, 0);
        table.AddPorts(control, 2, 2);
        table.AddPorts(0, 0, 0);
        table.AddPorts(0, 0, 0);
        table.AddPorts(timer, 4, 4);
        // General-purpose events, sleep registers and the hypervisor's identity: none.
        table.Zeros(4 * 12 + 8);
        return table.Finish();
    }
}
