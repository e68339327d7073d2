using Vmm.X86.Execution;
using Vmm.X86.Tests.Privileged;

namespace Vmm.X86.Tests.Events;

/// <summary>The interrupt vector table, and virtual-8086 mode (SDM Vol. 3B chapter 21).</summary>
public sealed unsafe class RealModeDeliveryTests
{
    [Fact]
    public void Int_and_iret_go_through_the_vector_table()
    {
        using TestProcessor cpu = new();
        VcpuState* s = cpu.S;
        cpu.StartAt(8);
        cpu.Poke32(0x21 * 4, 0x1234_5678);
        s->General[4] = 0xAAAA_1000;
        LazyFlags.Set(s, 0x302);
        s->Rip = 0x10;

        cpu.Run(0xCD, 0x21).Should().Be(Outcome.Branch);

        s->Rip.Should().Be(0x5678);
        cpu.Segment(SegmentIndex.Cs).Base.Should().Be(0x12340);
        s->General[4].Should().Be(0xAAAA_0FFA);
        cpu.Peek16(0xFFA).Should().Be(0x12);
        cpu.Peek16(0xFFC).Should().Be(0x800);
        cpu.Peek16(0xFFE).Should().Be(0x302);
        LazyFlags.Get(s).Should().Be(2);

        cpu.Run(0xCF).Should().Be(Outcome.Branch);
        s->Rip.Should().Be(0x12);
        s->General[4].Should().Be(0xAAAA_1000);
        LazyFlags.Get(s).Should().Be(0x302);
    }

    [Fact]
    public void Short_table_ends_in_a_shutdown()
    {
        using TestProcessor cpu = new();
        cpu.S->Idtr.Limit = 0;
        cpu.DeliverEvent(EventKind.ExternalInterrupt, 0x20).Should().Be(Outcome.NextBlock);
        cpu.S->Activity.Should().Be(Activity.Shutdown);
    }

    [Fact]
    public void Virtual_8086_program_interrupts_into_ring_0_and_iret_goes_back()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        // To virtual-8086 mode by IRETD.
        uint[] frame = [0x100, 0x700, 0x2_3202, 0x800, 0x600, 0x11, 0x22, 0x33, 0x44];
        for (int i = 0; i < frame.Length; i++)
            cpu.Poke32(0x9000 + (4 * (ulong)i), frame[i]);
        cpu.Run(0xCF).Should().Be(Outcome.Branch);
        s->Cpl.Should().Be(3);
        (s->Mode & ExecutionMode.Virtual8086).Should().NotBe(0);
        (s->Mode & ExecutionMode.CodeSizeMask).Should().Be(ExecutionMode.Code16);
        cpu.Segment(SegmentIndex.Cs).Base.Should().Be(0x7000);
        cpu.Segment(SegmentIndex.Gs).Base.Should().Be(0x440);
        cpu.Segment(SegmentIndex.Ss).Limit.Should().Be(0xFFFF);

        Scene.SetIdt(cpu, 0x21, Scene.GateOf(Scene.Code0, 0x4567, 14, 3));
        cpu.Run(0xCD, 0x21).Should().Be(Outcome.Branch);
        s->Cpl.Should().Be(0);
        s->General[4].Should().Be(Scene.Stack0 - 36);
        Enumerable.Range(0, 9).Select(i => cpu.Peek32(Scene.Stack0 - 36 + (4 * (ulong)i)))
            .Should().Equal(0x102, 0x700, 0x2_3202, 0x800, 0x600, 0x11, 0x22, 0x33, 0x44);
        cpu.Segment(SegmentIndex.Ds).Unusable.Should().BeTrue();
        (LazyFlags.Get(s) & LazyFlags.Vm).Should().Be(0);

        cpu.Run(0xCF).Should().Be(Outcome.Branch);
        s->Rip.Should().Be(0x102);
        (s->Mode & ExecutionMode.Virtual8086).Should().NotBe(0);

        s->FlagsSystem &= ~LazyFlags.Iopl;
        cpu.Run(0xCD, 0x21).Should().Be(Outcome.Fault, "INT n needs IOPL 3");
        cpu.Fault.Should().Be("13(0)");
        cpu.Run(0xCF).Should().Be(Outcome.Fault, "so does IRET");
    }

    [Fact]
    public void Virtual_mode_extensions_redirect_int_n_to_the_programs_table()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        s->Cr4 |= Cr4Bits.Vme;
        cpu.Segment(SegmentIndex.Tr).Limit = 0x1FF;
        cpu.Poke16(Scene.Tss + 0x66, 0x88); // the redirection map lies at 0x68, all clear
        cpu.Poke32(0x21 * 4, 0x0900_0010);
        LazyFlags.Set(s, 0x2_0002 | LazyFlags.Vif);
        s->Cpl = 3;
        cpu.UpdateMode();
        foreach (int i in (int[])[0, 1, 2, 3, 4, 5])
            cpu.Segment(i) = new SegmentRegister { Selector = 0x700, Base = 0x7000, Limit = 0xFFFF, Attributes = 0xF3 };
        cpu.UpdateMode();
        s->General[4] = 0x800;

        cpu.Run(0xCD, 0x21).Should().Be(Outcome.Branch);

        s->Rip.Should().Be(0x10);
        cpu.Segment(SegmentIndex.Cs).Base.Should().Be(0x9000);
        cpu.Peek16(0x77FE).Should().Be(0x3202, "IOPL reads as 3 and IF as VIF");
        (s->FlagsSystem & LazyFlags.Vif).Should().Be(0);

        cpu.Poke(Scene.Tss + 0x68 + 4, 2);
        cpu.Run(0xCD, 0x21).Should().Be(Outcome.Fault, "the map sends it to the monitor");
    }
}
