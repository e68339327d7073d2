using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

public sealed unsafe class PortTests
{
    [Fact]
    public void In_asks_outside_and_keeps_the_rest_of_the_register()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        s->General[0] = 0xFFFF_FFFF_FFFF_FFFF;
        cpu.Run(0xE4, 0x60).Should().Be(Outcome.Exit);
        (cpu.Request.Address, cpu.Request.Size, cpu.Request.Kind).Should().Be((0x60UL, (byte)1, ExternalRequestKind.PortRead));
        cpu.Answer(0x1234);
        cpu.Run(0xE4, 0x60).Should().Be(Outcome.Next);
        s->General[0].Should().Be(0xFFFF_FFFF_FFFF_FF34);

        s->General[2] = 0xFFFF_0CF8;
        cpu.Run(0xED).Should().Be(Outcome.Exit);
        cpu.Request.Address.Should().Be(0xCF8);
        cpu.Answer(0x1_8000_0000);
        cpu.Run(0xED).Should().Be(Outcome.Next);
        s->General[0].Should().Be(0x8000_0000);
    }

    [Fact]
    public void Rep_insb_stores_one_element_an_exit_and_keeps_registers_exact()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        s->General[1] = 2;
        s->General[2] = 0x3F8;
        s->General[7] = 0x6000;
        cpu.Run(0xF3, 0x6C).Should().Be(Outcome.Exit);
        cpu.Request.IsString.Should().BeTrue();
        s->General[1].Should().Be(2);
        cpu.Answer(0x41);
        cpu.Run(0xF3, 0x6C).Should().Be(Outcome.Repeat);
        (s->General[1], s->General[7]).Should().Be((1UL, 0x6001UL));
        cpu.Run(0xF3, 0x6C).Should().Be(Outcome.Exit);
        cpu.Answer(0x42);
        cpu.Run(0xF3, 0x6C).Should().Be(Outcome.Next);
        cpu.Peek16(0x6000).Should().Be(0x4241);
        cpu.Run(0xF3, 0x6C).Should().Be(Outcome.Next, "a count of zero does nothing");
    }

    [Fact]
    public void Insb_faults_before_it_reads_the_port()
    {
        using TestProcessor cpu = Scene.Long();
        cpu.S->General[7] = 0x40_0000; // not mapped by the guest
        cpu.Run(0x6C).Should().Be(Outcome.Fault);
        cpu.S->Fault.Vector.Should().Be(14);
        cpu.S->Fault.ErrorCode.Should().Be(2);
    }

    [Theory]
    [InlineData(0x80, 1, true)]
    [InlineData(0x87, 1, false)]
    [InlineData(0x86, 2, false)]
    [InlineData(0x1F8, 1, false)]
    public void Bitmap_of_the_tss_rules_outside_iopl(int port, int size, bool allowed)
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        cpu.Segment(SegmentIndex.Tr).Limit = 0x88; // ports up to 0xFF
        cpu.Poke16(Scene.Tss + 0x66, 0x68);
        cpu.Poke(Scene.Tss + 0x68 + 0x10, 0x80);
        s->General[2] = (ulong)port;
        Outcome outcome = size == 1 ? cpu.Run(0xEC) : cpu.Run(0x66, 0xED);
        outcome.Should().Be(allowed ? Outcome.Exit : Outcome.Fault);
        s->FlagsSystem |= LazyFlags.Iopl;
        cpu.Run(0xEC).Should().Be(Outcome.Exit, "IOPL 3 needs no bitmap");
    }

    [Fact]
    public void Outsb_reads_its_source_through_the_segment_prefix()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        cpu.Segment(SegmentIndex.Fs).Base = 0x1000;
        cpu.Poke(0x6005, 0x77);
        s->General[6] = 0x5005;
        s->General[2] = 0xE9;
        cpu.Run(0x64, 0x6E).Should().Be(Outcome.Exit);
        (cpu.Request.Kind, cpu.Request.Value, cpu.Request.Address).Should().Be((ExternalRequestKind.PortWrite, 0x77UL, 0xE9UL));
        cpu.Answer();
        cpu.Run(0x64, 0x6E).Should().Be(Outcome.Next);
        s->General[6].Should().Be(0x5006);
    }
}
