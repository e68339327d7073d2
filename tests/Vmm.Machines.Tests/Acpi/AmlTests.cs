namespace Vmm.Machines.Tests;

/// <summary>Oracle: ACPI 6.4, chapter 20 (grammar of AML) and 6.4 (resources), worked out by hand.</summary>
public sealed class AmlTests
{
    private static byte[] Written(Action<AmlWriter> write)
    {
        AmlWriter aml = new();
        write(aml);
        return aml.ToArray();
    }

    [Theory]
    [InlineData(0ul, "00"), InlineData(1ul, "01"), InlineData(2ul, "0A02"), InlineData(0xFFul, "0AFF"), InlineData(0x100ul, "0B0001")]
    [InlineData(0x1_0000ul, "0C00000100"), InlineData(0xFFFF_FFFFul, "0CFFFFFFFF"), InlineData(0x1_0000_0000ul, "0E0000000001000000")]
    public void Integer_takes_its_shortest_form(ulong value, string encoding) =>
        Convert.ToHexString(AmlValue.Integer(value).Encoding).Should().Be(encoding);

    [Theory]
    [InlineData("PNP0A03", "0C41D00A03"), InlineData("PNP0501", "0C41D00501"), InlineData("ACP0003", "0C04700003")]
    public void Eisa_identifier_is_compressed(string identifier, string encoding) =>
        Convert.ToHexString(AmlValue.EisaId(identifier).Encoding).Should().Be(encoding);

    [Theory]
    [InlineData("PNP0A0"), InlineData("pnp0A03"), InlineData("PN10A03"), InlineData("PNP0G03"), InlineData("PNP 501"), InlineData("LNRO0005")]
    public void Text_that_is_no_eisa_identifier_is_refused(string identifier) =>
        FluentActions.Invoking(() => AmlValue.EisaId(identifier)).Should().Throw<ArgumentException>();

    [Fact]
    public void Text_ends_with_a_zero()
    {
        Convert.ToHexString(AmlValue.Text("AB").Encoding).Should().Be("0D414200");
        FluentActions.Invoking(() => AmlValue.Text("ä")).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => AmlValue.Text("a\0")).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Package_counts_its_elements() =>
        Convert.ToHexString(AmlValue.Package(0, 5, "A").Encoding).Should().Be("1208" + "03" + "00" + "0A05" + "0D4100");

    [Theory]
    [InlineData(@"\_SB", "5C5F53425F"), InlineData("A", "415F5F5F"), InlineData(@"\_SB.PCI0", "5C2E5F53425F50434930")]
    [InlineData("^^AB.C.D", "5E5E2F0341425F5F435F5F5F445F5F5F"), InlineData(@"\", "5C00")]
    public void Names_are_padded_and_prefixed(string path, string encoding) =>
        Convert.ToHexString(Written(aml => aml.Name(path, 0))).Should().Be("08" + encoding + "00");

    [Theory]
    [InlineData("ABCDE"), InlineData("1A"), InlineData("a"), InlineData("A..B"), InlineData(".A"), InlineData("A B"), InlineData("")]
    public void Text_that_is_no_name_is_refused(string name) =>
        FluentActions.Invoking(() => Written(aml => aml.Name(name, 0))).Should().Throw<ArgumentException>();

    [Theory]
    [InlineData(62, 1, "3F"), InlineData(63, 2, "4104"), InlineData(0xFFD, 2, "4FFF"), InlineData(0xFFE, 3, "810001")]
    [InlineData(0xF_FFFC, 3, "8FFFFF"), InlineData(0xF_FFFD, 4, "C1000001")]
    public void Length_of_a_block_counts_itself(int content, int size, string encoding)
    {
        byte[] bytes = AmlWriter.WithLength(new byte[content]);
        bytes.Length.Should().Be(content + size);
        Convert.ToHexString(bytes.AsSpan(0, size)).Should().Be(encoding);
    }

    [Fact]
    public void Blocks_nest()
    {
        byte[] bytes = Written(aml => aml.Scope(@"\_SB", () => aml.Device("DEV", () =>
        {
            aml.Name("_UID", 3);
            aml.Method("M", 2, () =>
            {
                aml.StoreArgument(1, "X");
                aml.If("X", () => aml.Return(1));
                aml.Return(0);
            });
        })));
        Convert.ToHexString(bytes).Should().Be(
            "10" + "2B" + "5C5F53425F"
            + "5B82" + "23" + "4445565F"
            + "08" + "5F554944" + "0A03"
            + "14" + "16" + "4D5F5F5F" + "02"
            + "70" + "69" + "585F5F5F"
            + "A0" + "07" + "585F5F5F" + "A401"
            + "A400");
    }

    [Fact]
    public void Block_whose_body_throws_leaves_the_writer_where_it_was()
    {
        AmlWriter aml = new();
        aml.Name("A", 0);
        aml.Invoking(writer => writer.Scope("B", () => throw new InvalidOperationException())).Should().Throw<InvalidOperationException>();
        aml.Name("C", 0);
        Convert.ToHexString(aml.ToArray()).Should().StartWith("08415F5F5F00").And.EndWith("08435F5F5F00");
    }

    [Fact]
    public void Resources_are_written_as_descriptors()
    {
        AmlValue value = new ResourceTemplate().Ports(0x3F8, 8).IsaInterrupt(4).Memory(0xD000_0000, 0x200).Interrupt(17, true).ToValue();
        Convert.ToHexString(value.Encoding).Should().Be(
            "11" + "25" + "0A22"
            + "4701F803F8030108"
            + "221000"
            + "86090001" + "000000D0" + "00020000"
            + "89060001" + "01" + "11000000"
            + "7900");
    }
}
