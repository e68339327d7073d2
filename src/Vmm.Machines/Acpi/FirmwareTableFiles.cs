using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines;

/// <summary>
/// A machine's ACPI tables as files for firmware, which chooses their place itself: the tables with offsets for pointers, the root pointer,
/// and commands that say where to add what (QEMU, <c>include/hw/acpi/bios-linker-loader.h</c>: commands of 128 bytes).
/// </summary>
internal static class FirmwareTableFiles
{
    public const string TablesName = "etc/acpi/tables";
    public const string RootPointerName = "etc/acpi/rsdp";
    public const string LoaderName = "etc/table-loader";

    private const int CommandSize = 128;
    private const int NameSize = 56;
    private const uint Allocate = 1;
    private const uint AddPointer = 2;
    private const uint AddChecksum = 3;
    private const byte AnywhereBelow4GiB = 1;
    private const byte BelowOneMebibyte = 2;

    private const int ChecksumField = 9;
    private const int LengthField = 4;
    private const int HeaderLength = 36;
    private const int FadtFacs = 36;
    private const int FadtDsdt = 40;
    private const int FadtExtendedDsdt = 140;
    private const int RootChecksum = 8;
    private const int RootRsdt = 16;
    private const int RootXsdt = 24;
    private const int RootExtendedChecksum = 32;
    private const int RootLength = 36;
    private const int FirstRootLength = 20;

    /// <summary>The tables; all pointers count from their start, and sums that pointers change are 0.</summary>
    public static byte[] Tables(AcpiPlatform platform) => Prepare(AcpiTables.Build(platform, 0), null).Tables;

    /// <summary>The root pointer and the commands. They are the same wherever the power-management registers are.</summary>
    public static (byte[] RootPointer, byte[] Loader) Pointers(AcpiPlatform platform)
    {
        List<byte[]> commands =
        [
            AllocateFile(TablesName, AcpiTables.Alignment, AnywhereBelow4GiB), AllocateFile(RootPointerName, 16, BelowOneMebibyte),
        ];
        AcpiTables tables = Prepare(AcpiTables.Build(platform, 0), commands);
        return (tables.RootPointer, [.. commands.SelectMany(command => command)]);
    }

    private static AcpiTables Prepare(AcpiTables tables, List<byte[]>? commands)
    {
        int rsdt = BinaryPrimitives.ReadInt32LittleEndian(tables.RootPointer.AsSpan(RootRsdt));
        int xsdt = BinaryPrimitives.ReadInt32LittleEndian(tables.RootPointer.AsSpan(RootXsdt));
        // The first table that the root tables name is the FADT.
        int fadt = BinaryPrimitives.ReadInt32LittleEndian(tables.Tables.AsSpan(rsdt + HeaderLength));
        Point(TablesName, fadt + FadtFacs, 4);
        Point(TablesName, fadt + FadtDsdt, 4);
        Point(TablesName, fadt + FadtExtendedDsdt, 8);
        Sum(TablesName, tables.Tables, fadt + ChecksumField, fadt, LengthOf(fadt));
        foreach ((int root, int size) in new[] { (rsdt, 4), (xsdt, 8) })
        {
            for (int entry = root + HeaderLength; entry < root + LengthOf(root); entry += size)
                Point(TablesName, entry, size);
            Sum(TablesName, tables.Tables, root + ChecksumField, root, LengthOf(root));
        }
        Point(RootPointerName, RootRsdt, 4);
        Point(RootPointerName, RootXsdt, 8);
        Sum(RootPointerName, tables.RootPointer, RootChecksum, 0, FirstRootLength);
        Sum(RootPointerName, tables.RootPointer, RootExtendedChecksum, 0, RootLength);
        return tables;

        int LengthOf(int table) => BinaryPrimitives.ReadInt32LittleEndian(tables.Tables.AsSpan(table + LengthField));

        void Point(string file, int offset, int size) => commands?.Add(PointIntoTables(file, offset, size));

        void Sum(string file, byte[] bytes, int offset, int start, int length)
        {
            bytes[offset] = 0;
            commands?.Add(SumOf(file, offset, start, length));
        }
    }

    private static byte[] AllocateFile(string file, int alignment, byte zone)
    {
        byte[] command = Command(Allocate, file);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4 + NameSize), alignment);
        command[8 + NameSize] = zone;
        return command;
    }

    private static byte[] PointIntoTables(string file, int offset, int size)
    {
        byte[] command = Command(AddPointer, file);
        Encoding.ASCII.GetBytes(TablesName, command.AsSpan(4 + NameSize));
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4 + 2 * NameSize), offset);
        command[8 + 2 * NameSize] = (byte)size;
        return command;
    }

    private static byte[] SumOf(string file, int offset, int start, int length)
    {
        byte[] command = Command(AddChecksum, file);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4 + NameSize), offset);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(8 + NameSize), start);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(12 + NameSize), length);
        return command;
    }

    private static byte[] Command(uint kind, string file)
    {
        byte[] command = new byte[CommandSize];
        BinaryPrimitives.WriteUInt32LittleEndian(command, kind);
        Encoding.ASCII.GetBytes(file, command.AsSpan(4));
        return command;
    }
}
