using System.Buffers.Binary;
using System.Text;
using Vmm.Tests;

namespace Vmm.Machines.Tests;

/// <summary>Oracle: ACPI 6.4, chapter 5, field by field, and ACPICA's compiler and disassembler.</summary>
public sealed class AcpiTablesTests
{
    private const uint Address = 0xF_0080;

    private static readonly AcpiPlatform s_platform = new()
    {
        ProcessorCount = 3,
        Pci = new AcpiPciBridge
        {
            MemoryStart = 0xE000_0000,
            MemoryEnd = 0xFE00_0000,
            LineOf = static (device, pin) => (device + pin + 3) & 3,
            IsaRoutes = [10, 10, 11, 11],
        },
        VirtioWindows = [new VirtioMmioWindow(0xD000_0000, 0x200, 20), new VirtioMmioWindow(0xD000_0200, 0x200, 21)],
    };

    private static readonly AcpiPlatform s_leanPlatform = new() { HasApics = false, HasVideo = true };

    private static Dictionary<string, byte[]> TablesOf(AcpiPlatform platform) => TablesOf(AcpiTables.Build(platform, Address));

    // Found as a guest finds them: from the root pointer.
    private static Dictionary<string, byte[]> TablesOf(AcpiTables tables)
    {
        Dictionary<string, byte[]> found = [];
        byte[] extended = TableAt(BinaryPrimitives.ReadUInt64LittleEndian(tables.RootPointer.AsSpan(24)));
        found.Add("XSDT", extended);
        for (int at = 36; at < extended.Length; at += 8)
            Add(BinaryPrimitives.ReadUInt64LittleEndian(extended.AsSpan(at)));
        byte[] fixedTable = found["FACP"];
        Add(BinaryPrimitives.ReadUInt64LittleEndian(fixedTable.AsSpan(140)));
        Add(BinaryPrimitives.ReadUInt32LittleEndian(fixedTable.AsSpan(36)));
        Add(BinaryPrimitives.ReadUInt32LittleEndian(tables.RootPointer.AsSpan(16)));
        return found;

        byte[] TableAt(ulong address)
        {
            int start = (int)(address - Address);
            int length = BinaryPrimitives.ReadInt32LittleEndian(tables.Tables.AsSpan(start + 4));
            return tables.Tables[start..(start + length)];
        }

        void Add(ulong address)
        {
            byte[] table = TableAt(address);
            found.Add(Encoding.ASCII.GetString(table, 0, 4), table);
        }
    }

    private static uint UInt32(byte[] table, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(offset));

    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        foreach (byte value in bytes)
            sum += value;
        return sum & 0xFF;
    }

    [Fact]
    public void Root_pointer_has_both_checksums()
    {
        byte[] pointer = AcpiTables.Build(s_platform, Address).RootPointer;
        pointer.Should().HaveCount(36);
        Encoding.ASCII.GetString(pointer, 0, 8).Should().Be("RSD PTR ");
        pointer[15].Should().Be(2);
        Sum(pointer.AsSpan(0, 20)).Should().Be(0);
        Sum(pointer).Should().Be(0);
    }

    [Fact]
    public void Every_table_is_reached_and_adds_up_to_zero()
    {
        Dictionary<string, byte[]> tables = TablesOf(s_platform);
        tables.Keys.Should().BeEquivalentTo("XSDT", "RSDT", "FACP", "FACS", "DSDT", "APIC");
        foreach ((string name, byte[] table) in tables.Where(pair => pair.Key != "FACS"))
            Sum(table).Should().Be(0, name);
    }

    [Fact]
    public void Old_and_new_root_tables_name_the_same_tables()
    {
        Dictionary<string, byte[]> tables = TablesOf(s_platform);
        byte[] old = tables["RSDT"], extended = tables["XSDT"];
        (old.Length - 36).Should().Be((extended.Length - 36) / 2);
        for (int index = 0; index < (old.Length - 36) / 4; index++)
            ((ulong)UInt32(old, 36 + 4 * index)).Should().Be(BinaryPrimitives.ReadUInt64LittleEndian(extended.AsSpan(36 + 8 * index)));
    }

    [Fact]
    public void Firmware_control_structure_is_aligned_to_64_bytes()
    {
        Dictionary<string, byte[]> tables = TablesOf(s_platform);
        (UInt32(tables["FACP"], 36) % 64).Should().Be(0);
        tables["FACS"].Should().HaveCount(64);
        BinaryPrimitives.ReadUInt64LittleEndian(tables["FACP"].AsSpan(132)).Should().Be(0, "only one of the two pointers may be given");
    }

    [Fact]
    public void Fixed_table_names_the_registers_of_the_machine()
    {
        byte[] table = TablesOf(s_platform)["FACP"];
        table.Should().HaveCount(276);
        BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan(46)).Should().Be(9);
        UInt32(table, 48).Should().Be(0, "there is no SMI command port");
        UInt32(table, 56).Should().Be(0x600);
        UInt32(table, 64).Should().Be(0x604);
        UInt32(table, 76).Should().Be(0x608);
        table[88..92].Should().Equal(4, 2, 0, 4);
        table[108].Should().Be(0x32);
        table[109].Should().Be(7, "legacy devices, a keyboard controller, no VGA");
        TablesOf(s_leanPlatform)["FACP"][109].Should().Be(3);
        Convert.ToHexString(table, 116, 13).Should().Be("01080001" + "F90C000000000000" + "06");
        Convert.ToHexString(table, 148, 12).Should().Be("01200002" + "0006000000000000");
        Convert.ToHexString(table, 172, 12).Should().Be("01100002" + "0406000000000000");
        Convert.ToHexString(table, 208, 12).Should().Be("01200003" + "0806000000000000");
        (UInt32(table, 112) & 0x400).Should().NotBe(0, "the reset register is there");
        (UInt32(table, 112) & 0x10).Should().Be(0, "the power button is a fixed one");
    }

    [Fact]
    public void Interrupt_table_has_processors_controller_overrides_and_nmi()
    {
        byte[] table = TablesOf(s_platform)["APIC"];
        UInt32(table, 36).Should().Be(0xFEE0_0000);
        UInt32(table, 40).Should().Be(1);
        Convert.ToHexString(table, 44, table.Length - 44).Should().Be(
            "0008000001000000" + "0008010101000000" + "0008020201000000"
            + "010C0000" + "0000C0FE" + "00000000"
            + "020A0000" + "02000000" + "0000"
            + "020A0009" + "09000000" + "0D00"
            + "0406FF000001");
    }

    [Fact]
    public void Processors_beyond_the_eighth_and_the_255th_are_told_differently()
    {
        Dictionary<string, byte[]> tables = TablesOf(s_platform with { ProcessorCount = 257 });
        byte[] interrupts = tables["APIC"];
        Convert.ToHexString(interrupts, 44 + 255 * 8, 32).Should().Be(
            "09100000" + "FF000000" + "01000000" + "FF000000" + "09100000" + "00010000" + "01000000" + "00010000");
        (UInt32(tables["FACP"], 112) & 1 << 19).Should().NotBe(0, "flat logical destinations reach eight processors");
    }

    [Fact]
    public void Without_apics_there_is_no_interrupt_table() => TablesOf(s_leanPlatform).Should().NotContainKey("APIC");

    [Fact]
    public void Tables_that_do_not_fit_are_refused()
    {
        ArrayMemory memory = new(4 << 20);
        FluentActions.Invoking(() => FirmwareTables.Write(memory, s_platform with { ProcessorCount = 4000 }))
            .Should().Throw<NotSupportedException>().WithMessage("*4000 processors*");
    }

    [SkippableTheory]
    [InlineData(false), InlineData(true)]
    public void Compiler_reads_every_table_and_makes_the_same_code_again(bool lean)
    {
        string folder = Directory.CreateTempSubdirectory("vmm-acpi").FullName;
        try
        {
            AcpiPlatform platform = lean
                ? s_leanPlatform with { Describe = aml => aml.Device("MINE", () => aml.Name("_HID", "ABCD0001")) }
                : s_platform;
            foreach ((string name, byte[] table) in TablesOf(platform))
            {
                File.WriteAllBytes(Path.Combine(folder, name + ".aml"), table);
                (int status, string said) = OutsideTool.Try("iasl", "acpica-tools", folder, "iasl", "-d", name + ".aml");
                status.Should().Be(0, said);
                said.Should().NotContainAny("Error", "Invalid", "Warning", "Incorrect");
            }
            (int compiled, string words) = OutsideTool.Try(
                "iasl", "acpica-tools", folder, "iasl", "-oa", "-p", "again", "DSDT.dsl");
            compiled.Should().Be(0, words);
            words.Should().Contain(" 0 Errors, 0 Warnings");
            byte[] again = File.ReadAllBytes(Path.Combine(folder, "again.aml"));
            again[36..].Should().Equal(File.ReadAllBytes(Path.Combine(folder, "DSDT.aml"))[36..]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
