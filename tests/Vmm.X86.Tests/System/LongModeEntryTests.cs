using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>The road that every 64-bit kernel takes: real mode, protected mode, PAE, EFER.LME, paging, far jump.</summary>
public sealed unsafe class LongModeEntryTests
{
    [Fact]
    public void Real_mode_reaches_64_bit_code_by_the_manuals_steps()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;
        // GDT at 0x1000: null, 32-bit code, data, 64-bit code.
        cpu.Poke64(0x1000, 0, 0x00CF_9A00_0000_FFFF, 0x00CF_9200_0000_FFFF, 0x00AF_9A00_0000_FFFF);
        cpu.Poke(0x2000, 0x1F, 0, 0, 0x10, 0, 0);
        // One 2 MiB identity page.
        cpu.Poke64(0x10000, 0x11003);
        cpu.Poke64(0x11000, 0x12003);
        cpu.Poke64(0x12000, 0x83);

        cpu.StartAt(3);
        cpu.Run(0x67, 0x66, 0x0F, 0x01, 0x15, 0x00, 0x20, 0x00, 0x00).Should().Be(Outcome.Next); // lgdt [0x2000]
        s->Gdtr.Base.Should().Be(0x1000);
        s->General[0] = 0x11;
        cpu.Run(0x0F, 0x22, 0xC0).Should().Be(Outcome.NextBlock); // mov cr0, eax
        (s->Mode & ExecutionMode.Protected).Should().NotBe(0);
        cpu.Run(0x66, 0xEA, 0x00, 0x40, 0, 0, 0x08, 0).Should().Be(Outcome.Branch); // jmp 8:0x4000
        s->Rip.Should().Be(0x4000);
        (s->Mode & ExecutionMode.CodeSizeMask).Should().Be(ExecutionMode.Code32);
        cpu.Peek8(0x100D).Should().Be(0x9B, "loading sets the accessed bit");
        foreach ((byte modrm, int index) in new (byte, int)[] { (0xC0, SegmentIndex.Es), (0xD0, SegmentIndex.Ss), (0xD8, SegmentIndex.Ds) })
        {
            s->General[0] = 0x10;
            cpu.Run(0x8E, modrm).Should().NotBe(Outcome.Fault);
            cpu.Segment(index).Limit.Should().Be(uint.MaxValue);
        }
        (s->Mode & ExecutionMode.Flat).Should().NotBe(0);

        s->General[0] = 0x20;
        cpu.Run(0x0F, 0x22, 0xE0).Should().Be(Outcome.NextBlock); // mov cr4, eax
        s->General[0] = 0x10000;
        cpu.Run(0x0F, 0x22, 0xD8).Should().Be(Outcome.NextBlock); // mov cr3, eax
        s->General[1] = 0xC000_0080;
        s->General[0] = 0x101;
        s->General[2] = 0;
        cpu.Run(0x0F, 0x30).Should().Be(Outcome.NextBlock); // wrmsr
        s->General[0] = 0x8000_0011;
        int changes = cpu.TranslationChanges;
        cpu.Run(0x0F, 0x22, 0xC0).Should().Be(Outcome.NextBlock);
        cpu.TranslationChanges.Should().BeGreaterThan(changes);
        (s->Efer & EferBits.LongModeActive).Should().NotBe(0);
        (s->Mode & ExecutionMode.CodeSizeMask).Should().Be(ExecutionMode.Code32, "compatibility mode until the far jump");
        cpu.Run(0xEA, 0x00, 0x50, 0, 0, 0x18, 0).Should().Be(Outcome.Branch);
        cpu.Is64Bit.Should().BeTrue();
        s->Rip.Should().Be(0x5000);

        // And out again: PG cannot be cleared from 64-bit code.
        s->General[0] = 0x11;
        cpu.Run(0x0F, 0x22, 0xC0).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
    }

    [Theory]
    [InlineData(0x8000_0000UL, "PG without PE")]
    [InlineData(0x2000_0011UL, "NW without CD")]
    [InlineData(0x1_0000_0011UL, "reserved upper bits")]
    public void Cr0_write_with_an_invalid_combination_faults(ulong value, string why)
    {
        using TestProcessor cpu = new();
        cpu.WriteCr0(value).Should().Be(Outcome.Fault, why);
        cpu.Fault.Should().Be("13(0)");
        cpu.S->Cr0.Should().Be(0x6000_0010);
    }

    [Fact]
    public void Long_mode_without_pae_or_with_a_short_tss_faults()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;
        cpu.WriteEfer(0x100).Should().Be(Outcome.NextBlock);
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.Fault);
        cpu.WriteCr4(0x20).Should().Be(Outcome.NextBlock);
        cpu.Segment(SegmentIndex.Tr).Attributes = 0x83;
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.Fault);
        cpu.Segment(SegmentIndex.Tr).Attributes = 0x8B;
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.NextBlock);
        cpu.WriteCr4(0).Should().Be(Outcome.Fault, "PAE cannot be cleared while long mode is active");
        cpu.WriteEfer(0).Should().Be(Outcome.Fault, "LME cannot change while paging is on");
        cpu.WriteCr0(0x11).Should().Be(Outcome.NextBlock, "compatibility mode may leave");
        (s->Efer & EferBits.LongModeActive).Should().Be(0);
    }

    [Fact]
    public void Pae_paging_checks_the_pointer_table_when_it_is_loaded()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;
        cpu.WriteCr4(0x20);
        cpu.Poke64(0x1000, 0x2001, 0, 0, 0x3001);
        cpu.Poke64(0x1020, 0x2003, 0, 0, 0); // bit 1 is reserved
        s->Cr3 = 0x1020;
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.Fault);
        s->Cr3 = 0x1000;
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.NextBlock);
        s->Pdpte[3].Should().Be(0x3001);
        cpu.WriteCr3(0x1020).Should().Be(Outcome.Fault);
        s->Cr3.Should().Be(0x1000);
        cpu.WriteCr3(0xF000_0000).Should().Be(Outcome.Exit, "there is no memory");
        cpu.Request.PageWalk.Should().BeTrue();
    }

    [Fact]
    public void Pcid_can_only_be_enabled_in_long_mode_with_pcid_zero()
    {
        using TestProcessor cpu = new(Models.With((1, 17)));
        cpu.WriteCr4(0x2_0020).Should().Be(Outcome.Fault);
        cpu.WriteEfer(0x100);
        cpu.WriteCr4(0x20);
        cpu.WriteCr0(0x8000_0011).Should().Be(Outcome.NextBlock);
        cpu.S->Cr3 = 1;
        cpu.WriteCr4(0x2_0020).Should().Be(Outcome.Fault);
        cpu.S->Cr3 = 0x1000;
        cpu.WriteCr4(0x2_0020).Should().Be(Outcome.NextBlock);
        cpu.WriteCr0(0x11).Should().Be(Outcome.Fault, "PG cannot be cleared while PCIDE is set");
    }
}
