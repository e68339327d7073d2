using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>5-level paging and linear addresses of 57 bits (SDM Vol. 3A 2.5, 4.5, Vol. 1 3.3.7.1).</summary>
public sealed unsafe class FiveLevelTests
{
    private const ulong Root = 0x1_8000, High = 0x00FE_0000_0000_0000;

    [Fact]
    public void Addresses_of_57_bits_are_read_and_executed()
    {
        using TestProcessor cpu = Machine();
        cpu.Poke64(0x5000, 0x1234);
        cpu.Read(High | 0x5000, out ulong value).Should().BeTrue();
        value.Should().Be(0x1234);
        // call to the high half of user space and back: jmp rax; there: mov ebx, 7; jmp rcx; then hlt.
        cpu.Poke(0x8000, 0xFF, 0xE0, 0xF4);
        cpu.Poke(0x6000, 0xBB, 7, 0, 0, 0, 0xE8, 1, 0, 0, 0, 0xF4, 0xC3); // mov ebx, 7; call +1; hlt; ret
        cpu.S->General[0] = High | 0x6000;
        cpu.S->General[4] = High | 0x9000;
        cpu.Execute(100).Should().Be(RunResult.Idle, $"{cpu.Fault} at {cpu.S->Rip:X}, {cpu.S->Fault.Payload:X}");
        cpu.S->General[3].Should().Be(7);
        cpu.S->Rip.Should().Be(High | 0x600B);
        cpu.S->General[4].Should().Be(High | 0x9000);
    }

    [Theory]
    [InlineData(0x0100_0000_0000_0000UL)]
    [InlineData(0x7F00_0000_0000_0000UL)]
    [InlineData(0xFE00_0000_0000_0000UL)]
    public void Address_past_57_bits_is_not_canonical(ulong linear)
    {
        using TestProcessor cpu = Machine();
        cpu.S->General[1] = linear;
        cpu.Step(0x48, 0x8B, 0x01).Should().Be(RunResult.Fault); // mov rax, [rcx]
        cpu.Fault.Should().Be("13(0)");
        cpu.Step(0xFF, 0xE1).Should().Be(RunResult.Fault); // jmp rcx
        cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Canonical_address_without_a_mapping_is_a_page_fault()
    {
        using TestProcessor cpu = Machine();
        cpu.S->General[1] = 0x0055_0000_0000_0000;
        cpu.Step(0x48, 0x8B, 0x01).Should().Be(RunResult.Fault);
        cpu.Fault.Should().Be("14(0)");
        cpu.S->Fault.Payload.Should().Be(0x0055_0000_0000_0000);
    }

    [Fact]
    public void La57_cannot_change_in_long_mode_and_needs_its_feature()
    {
        using TestProcessor cpu = Machine();
        cpu.WriteCr4(cpu.S->Cr4 & ~Cr4Bits.La57).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
        using TestProcessor without = Scene.Protected();
        without.WriteCr4(Cr4Bits.La57).Should().Be(Outcome.Fault);
        using TestProcessor with = Scene.Protected(Models.With(CpuFeature.La57));
        with.WriteCr4(Cr4Bits.La57).Should().Be(Outcome.NextBlock);
    }

    [Fact]
    public void Register_of_a_base_takes_the_widest_address_in_any_mode()
    {
        using TestProcessor cpu = Scene.Long(Models.With(CpuFeature.La57));
        cpu.WriteMsr(MsrNumber.GsBase, High).Should().Be(Outcome.Next);
        cpu.WriteMsr(MsrNumber.GsBase, 0x0100_0000_0000_0000).Should().Be(Outcome.Fault);
        cpu.S->General[1] = High;
        cpu.Step(0x48, 0x8B, 0x01).Should().Be(RunResult.Fault); // mov rax, [rcx] under 4-level paging
        cpu.Fault.Should().Be("13(0)");
        using TestProcessor narrow = Scene.Long();
        narrow.WriteMsr(MsrNumber.GsBase, High).Should().Be(Outcome.Fault);
    }

    private static TestProcessor Machine()
    {
        TestProcessor cpu = Scene.Long(Models.With(CpuFeature.La57));
        cpu.Poke64(Root, Scene.PageTables | 7);
        cpu.Poke64(Root + (((High >> 48) & 0x1FF) * 8), Scene.PageTables | 7);
        cpu.S->Cr4 |= Cr4Bits.La57;
        cpu.S->Cr3 = Root;
        cpu.UpdateMode();
        cpu.FlushTlb();
        return cpu;
    }
}
