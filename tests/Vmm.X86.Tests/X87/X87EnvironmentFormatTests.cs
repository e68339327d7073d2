using Vmm.X86.Execution;

namespace Vmm.X86.Tests.X87;

/// <summary>
/// FNSTENV, FLDENV, FNSAVE and FXSAVE outside 64-bit code. Oracle: the figures of SDM Vol. 1 8.1.10, written out by hand.
/// </summary>
public sealed unsafe class X87EnvironmentFormatTests
{
    private const ushort Image = 0x600;

    // fld dword [2345h] of a signalling NaN, invalid operation unmasked: recorded with its opcode, D9 /0 with mod 0, r/m 6 (real) or 5.
    private static readonly byte[] s_load16 = [0xD9, 0x06, 0x45, 0x23];
    private static readonly byte[] s_load32 = [0xD9, 0x05, 0x45, 0x23, 0x00, 0x00];

    [Fact]
    public void Real_mode_16_bit_format_holds_20_bit_addresses_and_opcode()
    {
        using TestProcessor cpu = Real();
        cpu.Run(0xD9, 0x36, 0x00, 0x06).Should().Be(Outcome.Next); // fnstenv [600h]
        ushort[] expected = [0x37E, 0x8081, 0xFFFF, 0x2350, 0x1106, 0x2345, 0x2000];
        for (ulong i = 0; i < 7; i++)
            cpu.Peek16(0x20000 + Image + (2 * i)).Should().Be(expected[i], $"word {i}");
        cpu.S->FpuControl.Should().Be(0x37F, "the store masks all exceptions");
        cpu.S->FpuStatus.Should().Be(1, "and so none is pending");
    }

    [Fact]
    public void Real_mode_32_bit_format_splits_32_bit_addresses()
    {
        using TestProcessor cpu = Real();
        cpu.Run(0x66, 0xD9, 0x36, 0x00, 0x06).Should().Be(Outcome.Next);
        uint[] expected = [0xFFFF_037E, 0xFFFF_8081, 0xFFFF_FFFF, 0xFFFF_2350, 0x0000_1106, 0xFFFF_2345, 0x0000_2000];
        for (ulong i = 0; i < 7; i++)
            cpu.Peek32(0x20000 + Image + (4 * i)).Should().Be(expected[i], $"doubleword {i}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Real_mode_environment_loads_back(bool wide)
    {
        using TestProcessor cpu = Real();
        cpu.Run([.. Prefix(wide), 0xD9, 0x36, 0x00, 0x06]);
        cpu.Run(0xDB, 0xE3);
        cpu.Run([.. Prefix(wide), 0xD9, 0x26, 0x00, 0x06]).Should().Be(Outcome.Next); // fldenv [600h]
        cpu.S->FpuControl.Should().Be(0x37E);
        cpu.S->FpuStatus.Should().Be(0x8081);
        cpu.S->FpuInstructionPointer.Should().Be(0x12350);
        cpu.S->FpuDataPointer.Should().Be(0x22345);
        cpu.S->FpuOpcode.Should().Be(0x106);
    }

    [Fact]
    public void Protected_mode_16_bit_format_holds_selectors_and_no_opcode()
    {
        using TestProcessor cpu = Protected();
        cpu.Run(0x66, 0xD9, 0x35, 0x00, 0x06, 0x00, 0x00).Should().Be(Outcome.Next);
        ushort[] expected = [0x37E, 0x8081, 0xFFFF, 0x0010, 0x0008, 0x2345, 0x0018];
        for (ulong i = 0; i < 7; i++)
            cpu.Peek16(Image + (2 * i)).Should().Be(expected[i], $"word {i}");
    }

    [Fact]
    public void Protected_mode_32_bit_format_holds_selectors_and_opcode()
    {
        using TestProcessor cpu = Protected();
        cpu.Run(0xD9, 0x35, 0x00, 0x06, 0x00, 0x00).Should().Be(Outcome.Next);
        uint[] expected = [0xFFFF_037E, 0xFFFF_8081, 0xFFFF_FFFF, 0x0000_0010, 0x0105_0008, 0x0000_2345, 0xFFFF_0018];
        for (ulong i = 0; i < 7; i++)
            cpu.Peek32(Image + (4 * i)).Should().Be(expected[i], $"doubleword {i}");
    }

    [Fact]
    public void Save_stores_registers_from_the_top_and_initializes()
    {
        using TestProcessor cpu = Real();
        cpu.Run(0xDB, 0xE3);
        cpu.Run(0xD9, 0xE8); // fld1
        cpu.Run(0xD9, 0xEE); // fldz
        cpu.Run(0xDD, 0x36, 0x00, 0x06).Should().Be(Outcome.Next); // fnsave [600h]
        cpu.Peek16(0x20000 + Image + 4).Should().Be(0x1FFF, "R7 valid, R6 zero, the rest empty");
        cpu.Peek64(0x20000 + Image + 14).Should().Be(0);
        cpu.Peek64(0x20000 + Image + 24).Should().Be(1UL << 63);
        cpu.Peek16(0x20000 + Image + 32).Should().Be(0x3FFF);
        cpu.S->FpuTags.Should().Be(0);
        cpu.S->FpuStatus.Should().Be(0);
        cpu.S->FpuControl.Should().Be(0x37F);
        cpu.Run(0xDD, 0x26, 0x00, 0x06).Should().Be(Outcome.Next); // frstor
        cpu.S->FpuTags.Should().Be(0xC0);
        cpu.S->FpuStatus.Should().Be(0x3000);
        cpu.S->Fpu[14].Should().Be(1UL << 63);
    }

    [Fact]
    public void Fxsave_outside_64_bit_code_stores_selectors_and_eight_xmm_registers()
    {
        using TestProcessor cpu = Protected();
        for (int i = 0; i < 64; i++)
            cpu.S->Vector[i] = (ulong)i + 1;
        for (ulong i = 0; i < 512; i += 8)
            cpu.Poke64(Image + i, 0xCCCC_CCCC_CCCC_CCCC);
        cpu.Run(0x0F, 0xAE, 0x05, 0x00, 0x06, 0x00, 0x00).Should().Be(Outcome.Next); // fxsave [600h]
        cpu.Peek64(Image).Should().Be(0x0105_0000_8081_037E);
        cpu.Peek64(Image + 8).Should().Be(0x0000_0008_0000_0010);
        cpu.Peek64(Image + 16).Should().Be(0x0000_0018_0000_2345);
        cpu.Peek64(Image + 160).Should().Be(1);
        cpu.Peek64(Image + 280).Should().Be(30, "the upper half of XMM7");
        cpu.Peek64(Image + 288).Should().Be(0xCCCC_CCCC_CCCC_CCCC, "XMM8 is not part of it");
    }

    [Fact]
    public void Store_beyond_the_segment_limit_faults_before_the_pop()
    {
        using TestProcessor cpu = Real();
        cpu.Run(0xDB, 0xE3);
        cpu.Run(0xD9, 0xE8);
        cpu.Run(0xDB, 0x3E, 0xF8, 0xFF).Should().Be(Outcome.Fault); // fstp tbyte [fff8h]
        cpu.S->FpuStatus.Should().Be(0x3800);
        cpu.S->FpuTags.Should().Be(0x80);
    }

    private static byte[] Prefix(bool wide) => wide ? [0x66] : [];

    /// <summary>1234h:10h with DS 2000h, after the load that raised an unmasked invalid operation.</summary>
    private static TestProcessor Real()
    {
        TestProcessor cpu = new();
        cpu.Segment(SegmentIndex.Cs).Selector = 0x1234;
        cpu.Segment(SegmentIndex.Cs).Base = 0x12340;
        cpu.Segment(SegmentIndex.Ds).Selector = 0x2000;
        cpu.Segment(SegmentIndex.Ds).Base = 0x20000;
        cpu.S->Cr0 |= Cr0Bits.NumericError;
        cpu.Poke32(0x22345, 0x7F80_0001);
        cpu.UpdateMode();
        Raise(cpu, s_load16);
        return cpu;
    }

    /// <summary>Flat 32-bit code at 8:10h with DS 18h, after the same load.</summary>
    private static TestProcessor Protected()
    {
        TestProcessor cpu = new();
        cpu.S->Cr0 |= Cr0Bits.ProtectionEnable | Cr0Bits.NumericError;
        cpu.Segment(SegmentIndex.Cs) = new SegmentRegister { Limit = uint.MaxValue, Attributes = 0xC09B, Selector = 8 };
        for (int segment = 0; segment < 6; segment++)
        {
            if (segment != SegmentIndex.Cs)
                cpu.Segment(segment) = new SegmentRegister { Limit = uint.MaxValue, Attributes = 0xC093, Selector = 0x18 };
        }

        cpu.Poke32(0x2345, 0x7F80_0001);
        cpu.UpdateMode();
        Raise(cpu, s_load32);
        return cpu;
    }

    private static void Raise(TestProcessor cpu, byte[] load)
    {
        cpu.Run(0xDB, 0xE3);
        cpu.S->FpuControl = 0x37E;
        cpu.S->Rip = 0x10;
        cpu.Run(load).Should().Be(Outcome.Next);
        cpu.S->FpuStatus.Should().Be(0x8081);
        cpu.S->FpuTags.Should().Be(0, "the value is not pushed");
    }
}
