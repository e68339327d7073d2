namespace Vmm.Machines;

/// <summary>Puts the tables where firmware would leave them, in the area below 1 MiB that guests search.</summary>
internal static class FirmwareTables
{
    /// <summary>Where the ACPI root pointer goes.</summary>
    public const uint RootPointer = 0xF_0000;

    private const uint Multiprocessor = RootPointer + AcpiTables.Alignment;

    // The last 16 bytes are the reset vector's.
    private const uint End = 0xF_FFF0;

    /// <summary>Writes the tables.</summary>
    /// <exception cref="NotSupportedException">They do not fit: there are too many processors or devices.</exception>
    public static void Write(IBootMemory memory, AcpiPlatform platform)
    {
        uint next = Multiprocessor;
        if (platform.HasApics)
        {
            byte[] multiprocessor = MultiprocessorTable.Build(platform, next);
            Put(multiprocessor);
        }
        next = (next + AcpiTables.Alignment - 1) & ~(uint)(AcpiTables.Alignment - 1);
        AcpiTables tables = AcpiTables.Build(platform, next);
        Put(tables.Tables);
        memory.Write(RootPointer, tables.RootPointer);

        void Put(byte[] bytes)
        {
            if ((uint)bytes.Length > End - next)
            {
                throw new NotSupportedException(
                    $"The ACPI tables of {platform.ProcessorCount} processors need more than the 64 KiB below 1 MiB: give the machine fewer.");
            }
            memory.Write(next, bytes);
            next += (uint)bytes.Length;
        }
    }
}
