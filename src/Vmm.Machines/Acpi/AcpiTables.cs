using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>A machine's ACPI tables, made for their place in memory: root pointer, RSDT, XSDT, FADT, FACS, MADT and DSDT.</summary>
/// <param name="RootPointer">The root pointer (RSDP).</param>
/// <param name="Tables">The tables, in one piece.</param>
internal sealed record AcpiTables(byte[] RootPointer, byte[] Tables)
{
    /// <summary>The alignment of the tables' place: that of the FACS.</summary>
    public const int Alignment = 64;

    private const int RootPointerLength = 36;

    /// <summary>Makes the tables.</summary>
    /// <param name="platform">The machine.</param>
    /// <param name="address">Where <see cref="Tables"/> will lie: below 4 GiB, a multiple of <see cref="Alignment"/>.</param>
    public static AcpiTables Build(AcpiPlatform platform, uint address)
    {
        List<byte> bytes = [];
        List<uint> described = [];

        uint facs = Place(FixedTable.Facs());
        uint dsdt = Place(DeviceTable.Dsdt(platform));
        described.Add(Place(FixedTable.Fadt(platform, facs, dsdt)));
        if (platform.HasApics)
            described.Add(Place(InterruptTable.Madt(platform)));

        AcpiTable root = new("RSDT", 1);
        AcpiTable extendedRoot = new("XSDT", 1);
        foreach (uint table in described)
        {
            root.Add32(table);
            extendedRoot.Add64(table);
        }
        uint rsdt = Place(root.Finish());
        uint xsdt = Place(extendedRoot.Finish());
        return new AcpiTables(RootPointerTo(rsdt, xsdt), [.. bytes]);

        uint Place(byte[] table)
        {
            bytes.AddRange(new byte[-bytes.Count & 15]);
            uint place = address + (uint)bytes.Count;
            bytes.AddRange(table);
            return place;
        }
    }

    // ACPI 6.4, 5.2.5.3: the first checksum covers the 20 bytes of ACPI 1.0.
    private static byte[] RootPointerTo(uint rsdt, uint xsdt)
    {
        byte[] pointer = new byte[RootPointerLength];
        "RSD PTR "u8.CopyTo(pointer);
        for (int index = 0; index < AcpiTable.Maker.Length; index++)
            pointer[9 + index] = (byte)AcpiTable.Maker[index];
        pointer[15] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(pointer.AsSpan(16), rsdt);
        BinaryPrimitives.WriteUInt32LittleEndian(pointer.AsSpan(20), RootPointerLength);
        BinaryPrimitives.WriteUInt64LittleEndian(pointer.AsSpan(24), xsdt);
        pointer[8] = AcpiTable.Checksum(pointer.AsSpan(0, 20));
        pointer[32] = AcpiTable.Checksum(pointer);
        return pointer;
    }
}
