using System.Buffers.Binary;
using System.Text;

namespace Vmm.Machines.Tests;

/// <summary>Oracle: Intel MultiProcessor Specification 1.4, chapter 4.</summary>
public sealed class MultiprocessorTableTests
{
    private const int EntriesStart = 16 + 44;

    private static byte[] Build(int processors, bool pci) => MultiprocessorTable.Build(
        new AcpiPlatform
        {
            ProcessorCount = processors,
            ProcessorSignature = 0x1_06CA,
            ProcessorFeatures = 0x0789_ABCD,
            Pci = pci ? new AcpiPciBridge { MemoryStart = 0, MemoryEnd = 1, LineOf = static (device, pin) => (device + pin + 3) & 3 } : null,
        },
        0xF_0040);

    private static List<string> Entries(byte[] bytes)
    {
        List<string> entries = [];
        for (int at = EntriesStart; at < bytes.Length;)
        {
            int length = bytes[at] == 0 ? 20 : 8;
            entries.Add(Convert.ToHexString(bytes, at, length));
            at += length;
        }
        return entries;
    }

    [Fact]
    public void Pointer_and_table_add_up_to_zero_and_belong_together()
    {
        byte[] bytes = Build(2, pci: true);
        Encoding.ASCII.GetString(bytes, 0, 4).Should().Be("_MP_");
        BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)).Should().Be(0xF_0050);
        bytes[8].Should().Be(1, "a paragraph");
        bytes[9].Should().Be(4, "version 1.4");
        (bytes.Take(16).Sum(value => value) & 0xFF).Should().Be(0);
        Encoding.ASCII.GetString(bytes, 16, 4).Should().Be("PCMP");
        BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(20)).Should().Be((ushort)(bytes.Length - 16));
        bytes[22].Should().Be(4);
        (bytes.Skip(16).Sum(value => value) & 0xFF).Should().Be(0);
        BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16 + 36)).Should().Be(0xFEE0_0000);
        BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(16 + 34)).Should().Be((ushort)Entries(bytes).Count);
    }

    [Fact]
    public void Entries_come_in_the_order_of_their_kinds()
    {
        List<string> entries = Entries(Build(2, pci: true));
        entries[0].Should().Be("00001403" + "CA060100" + "CDAB8907" + "0000000000000000");
        entries[1].Should().Be("00011401" + "CA060100" + "CDAB8907" + "0000000000000000");
        entries[2].Should().Be("0100" + Convert.ToHexString("PCI   "u8));
        entries[3].Should().Be("0101" + Convert.ToHexString("ISA   "u8));
        entries[4].Should().Be("02002001" + "0000C0FE");
        entries[5].Should().Be("03000000" + "01000002", "the timer is on input 2");
        entries[6].Should().Be("03000000" + "01010001");
        entries.Should().Contain("03000D00" + "01090009", "the system control interrupt is level-triggered, active high");
        entries.Should().Contain("03000D00" + "000C0012", "device 3, INTA#, is on PIRQC#");
        entries[^2..].Should().Equal("04030000" + "01000000", "04010000" + "0100FF01");
        entries.Select(entry => entry[..2]).Should().BeInAscendingOrder();
    }

    [Fact]
    public void Machine_without_pci_has_the_isa_bus_alone()
    {
        List<string> entries = Entries(Build(1, pci: false));
        entries.Should().HaveCount(1 + 1 + 1 + 15 + 2);
        entries.Should().NotContain(entry => entry.StartsWith("0300", StringComparison.Ordinal) && entry.Substring(8, 2) == "00");
    }
}
