using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines.Tests;

/// <summary>The tables as firmware puts them together: its part is done here, command by command, at addresses of the test's own.</summary>
public sealed class FirmwareTableFilesTests
{
    private const int TablesAddress = 0x7F_1000;
    private const int RootAddress = 0xF_5A40;

    private readonly byte[] _memory = new byte[0x80_0000];
    private readonly AcpiPlatform _platform = new() { ProcessorCount = 3, PowerManagementPort = 0xB000 };

    public FirmwareTableFilesTests()
    {
        (byte[] root, byte[] loader) = FirmwareTableFiles.Pointers(_platform);
        byte[] tables = FirmwareTableFiles.Tables(_platform);
        (loader.Length % 128).Should().Be(0);
        for (int at = 0; at < loader.Length; at += 128)
        {
            ReadOnlySpan<byte> command = loader.AsSpan(at, 128);
            int address = Name(command[4..]) == "etc/acpi/tables" ? TablesAddress : RootAddress;
            switch (BinaryPrimitives.ReadInt32LittleEndian(command))
            {
                case 1:
                    (address % BinaryPrimitives.ReadInt32LittleEndian(command[60..])).Should().Be(0);
                    command[64].Should().Be((byte)(address == TablesAddress ? 1 : 2), "only the root pointer must be below 1 MiB");
                    (address == TablesAddress ? tables : root).CopyTo(_memory.AsSpan(address));
                    break;
                case 2:
                    Name(command[60..]).Should().Be("etc/acpi/tables");
                    Span<byte> pointer = _memory.AsSpan(address + BinaryPrimitives.ReadInt32LittleEndian(command[116..]), command[120]);
                    BinaryPrimitives.WriteInt32LittleEndian(pointer, BinaryPrimitives.ReadInt32LittleEndian(pointer) + TablesAddress);
                    break;
                case 3:
                    Span<byte> sum = _memory.AsSpan(address + BinaryPrimitives.ReadInt32LittleEndian(command[60..]));
                    sum[0] -= Sum(address + Number(command, 64), Number(command, 68));
                    break;
                default:
                    throw new InvalidOperationException("No such command.");
            }
        }

        static int Number(ReadOnlySpan<byte> command, int offset) => BinaryPrimitives.ReadInt32LittleEndian(command[offset..]);

        static string Name(ReadOnlySpan<byte> field) => Encoding.ASCII.GetString(field[..56]).TrimEnd('\0');
    }

    private byte Sum(int address, int length)
    {
        byte sum = 0;
        foreach (byte value in _memory.AsSpan(address, length))
            sum += value;
        return sum;
    }

    private int At(int address) => BinaryPrimitives.ReadInt32LittleEndian(_memory.AsSpan(address));

    // A whole table, with a good checksum.
    private int Table(int address, string signature)
    {
        Encoding.ASCII.GetString(_memory, address, 4).Should().Be(signature);
        Sum(address, At(address + 4)).Should().Be(0, "{0} has a checksum", signature);
        return address;
    }

    [Fact]
    public void Every_pointer_leads_to_its_table_and_every_checksum_is_right()
    {
        Encoding.ASCII.GetString(_memory, RootAddress, 8).Should().Be("RSD PTR ");
        Sum(RootAddress, 20).Should().Be(0);
        Sum(RootAddress, 36).Should().Be(0);
        int rsdt = Table(At(RootAddress + 16), "RSDT"), xsdt = Table(At(RootAddress + 24), "XSDT");
        (At(rsdt + 4) - 36).Should().Be(2 * 4);
        (At(xsdt + 4) - 36).Should().Be(2 * 8);
        foreach ((int root, int size) in new[] { (rsdt, 4), (xsdt, 8) })
        {
            int fadt = Table(At(root + 36), "FACP");
            Table(At(root + 36 + size), "APIC");
            Encoding.ASCII.GetString(_memory, At(fadt + 36), 4).Should().Be("FACS");
            (At(fadt + 36) % 64).Should().Be(0);
            Table(At(fadt + 40), "DSDT");
            At(fadt + 140).Should().Be(At(fadt + 40));
            At(fadt + 56).Should().Be(0xB000, "the power-management registers are where firmware put them");
        }
    }

    [Fact]
    public void Place_of_the_power_management_registers_changes_no_length()
    {
        FirmwareTableFiles.Tables(_platform with { PowerManagementPort = 0x600 }).Length
            .Should().Be(FirmwareTableFiles.Tables(_platform).Length);
    }
}
