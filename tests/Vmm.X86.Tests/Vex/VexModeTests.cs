using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Vex;

/// <summary>VEX prefixes outside 64-bit code: SDM Vol. 2A 2.3.3, 2.3.5.</summary>
// SAFETY: the pointers are the processor's state block.
public sealed unsafe class VexModeTests : IDisposable
{
    private readonly TestProcessor _processor = new(Models.With(CpuFeature.Xsave, CpuFeature.Avx, CpuFeature.Avx2));

    public VexModeTests()
    {
        VcpuState* s = _processor.S;
        for (int i = 0; i < 6; i++)
            s->Segments[i] = new SegmentRegister { Limit = uint.MaxValue, Attributes = i == SegmentIndex.Cs ? 0xC09Bu : 0xC093u };
        s->Cr0 = Cr0Bits.ProtectionEnable;
        s->Cr4 = Cr4Bits.OsXsave | Cr4Bits.OsFxsr;
        s->Xcr0 = 7;
        s->Rip = 0x1000;
        _processor.UpdateMode();
        for (int i = 0; i < 64; i++)
            s->Vector[i] = (ulong)i;
    }

    public void Dispose() => _processor.Dispose();

    [Theory]
    [InlineData("C5F877", 2)] // vzeroupper
    [InlineData("C5FC77", 0)] // vzeroall
    public void Registers_that_the_mode_does_not_have_are_not_cleared(string bytes, int kept)
    {
        _processor.Step(Convert.FromHexString(bytes)).Should().Be(RunResult.Done);
        for (int i = 0; i < 64; i++)
            _processor.S->Vector[i].Should().Be(i < 32 && i % 4 >= kept ? 0 : (ulong)i);
    }

    [Fact]
    public void Fourth_bit_of_the_register_field_counts_in_64_bit_code_only()
    {
        _processor.Step(0xC4, 0xE1, 0x31, 0xFE, 0xCA).Should().Be(RunResult.Done); // vpaddd xmm1, xmm9 or xmm1, xmm2
        _processor.S->Vector[4].Should().Be(4 + 8);
        _processor.S->Vector[6].Should().Be(0);
    }

    [Fact]
    public void Memory_operand_makes_them_lds_and_les()
    {
        _processor.S->General[6] = 0x2000;
        _processor.Poke32(0x2000, 0x1234_5678);
        _processor.Step(0xC5, 0x06).Should().Be(RunResult.Done); // lds eax, [esi]
        _processor.S->General[0].Should().Be(0x1234_5678);
        _processor.Segment(SegmentIndex.Ds).Selector.Should().Be(0);
    }

    [Fact]
    public void Sixteen_bit_protected_mode_has_them_but_gathers_need_wider_addresses()
    {
        _processor.Segment(SegmentIndex.Cs).Attributes = 0x9B;
        _processor.UpdateMode();
        _processor.Step(0xC5, 0xF1, 0xFE, 0xCA).Should().Be(RunResult.Done); // vpaddd xmm1, xmm1, xmm2
        _processor.Step(0xC4, 0xE2, 0x61, 0x90, 0x0C, 0x93).Should().Be(RunResult.Fault); // vpgatherdd with 16-bit addresses
        _processor.S->Fault.Vector.Should().Be(6);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Real_and_virtual_8086_mode_do_not_know_them(bool virtual8086)
    {
        VcpuState* s = _processor.S;
        for (int i = 0; i < 6; i++)
            s->Segments[i] = new SegmentRegister { Limit = 0xFFFF, Attributes = i == SegmentIndex.Cs && !virtual8086 ? 0x9Bu : 0xF3u };
        if (virtual8086)
            s->FlagsSystem |= LazyFlags.Vm;
        else
            s->Cr0 = 0;
        s->Cpl = virtual8086 ? 3U : 0;
        _processor.UpdateMode();
        foreach (byte[] bytes in new byte[][] { [0xC5, 0xF1, 0xFE, 0xCA], [0xC4, 0xE1, 0x71, 0xFE, 0xCA], [0xC5, 0xF8, 0x77] })
        {
            _processor.Step(bytes).Should().Be(RunResult.Fault);
            s->Fault.Vector.Should().Be(6);
        }
    }
}
