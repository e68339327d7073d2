using Vmm.X86.Execution;
using Vmm.X86.Tests.Privileged;

namespace Vmm.X86.Tests.Events;

/// <summary>Delivery through the 64-bit IDT (SDM Vol. 3A 6.14).</summary>
public sealed unsafe class LongDeliveryTests
{
    [Fact]
    public void Same_level_event_aligns_the_stack_and_pushes_ss_and_rsp()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        Scene.SetIdt64(cpu, 0x30, Scene.Code64, 0x4567);
        s->General[4] = 0x9009;

        cpu.DeliverEvent(EventKind.ExternalInterrupt, 0x30).Should().Be(Outcome.Branch);

        s->General[4].Should().Be(0x9000 - 40);
        ((ulong[])[0, 8, 16, 24, 32]).Select(o => cpu.Peek64(0x9000 - 40 + o))
            .Should().Equal(0x8000UL, Scene.Code64, 2, 0x9009, Scene.Data0);
        cpu.Segment(SegmentIndex.Ss).Selector.Should().Be(Scene.Data0, "SS changes only with the level");
    }

    [Fact]
    public void Event_from_ring_3_takes_rsp0_a_null_ss_and_iretq_goes_back()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        Scene.EnterCode(cpu, Scene.Code64User, Scene.Data3, 0x8000, 0xB008);
        LazyFlags.Set(s, 0x202);
        Scene.SetIdt64(cpu, 14, Scene.Code64, 0x4567);
        cpu.RaisePageFault(0xDEAD_B000, 7);

        cpu.QueueFault();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);

        s->Cr2.Should().Be(0xDEAD_B000);
        s->General[4].Should().Be(Scene.Stack0 - 48);
        cpu.Peek64(Scene.Stack0 - 48).Should().Be(7);
        cpu.Segment(SegmentIndex.Ss).Selector.Should().Be(0);
        cpu.Segment(SegmentIndex.Ss).Unusable.Should().BeTrue();
        cpu.Peek64(Scene.Stack0 - 24).Should().Be(0x1_0202, "a fault saves RF");

        s->General[4] += 8;
        cpu.Run(0x48, 0xCF).Should().Be(Outcome.Branch);
        s->Rip.Should().Be(0x8000);
        s->General[4].Should().Be(0xB008);
        s->Cpl.Should().Be(3);
        (LazyFlags.Get(s) & LazyFlags.Rf).Should().NotBe(0);
        cpu.Segment(SegmentIndex.Ss).Selector.Should().Be(Scene.Data3);
    }

    [Fact]
    public void Interrupt_stack_table_is_taken_without_a_level_change()
    {
        using TestProcessor cpu = Scene.Long();
        Scene.SetIdt64(cpu, 2, Scene.Code64, 0x4567, stack: 1);

        cpu.DeliverEvent(EventKind.NonMaskableInterrupt, 2).Should().Be(Outcome.Branch);

        cpu.S->General[4].Should().Be(0xC000 - 40);
    }

    [Theory]
    [InlineData(Scene.Code0, 0x4567UL, 14U, "13(8)", "32-bit code cannot handle")]
    [InlineData(Scene.Code64, 0x8000_0000_0000UL, 14U, "13(0)", "not canonical")]
    [InlineData(Scene.Code64, 0x4567UL, 6U, "13(102)", "a 16-bit gate")]
    [InlineData(Scene.Code64, 0x4567UL, 5U, "13(102)", "a task gate")]
    public void Bad_gate_faults_with_the_manuals_code(ushort selector, ulong offset, uint type, string fault, string why)
    {
        using TestProcessor cpu = Scene.Long();
        Scene.SetIdt64(cpu, 0x20, selector, offset, type);

        cpu.Run(0xCD, 0x20).Should().Be(Outcome.Fault, why);

        cpu.Fault.Should().Be(fault, why);
    }

    [Fact]
    public void Noncanonical_rsp0_is_a_stack_fault()
    {
        using TestProcessor cpu = Scene.Long();
        Scene.EnterCode(cpu, Scene.Code64User, Scene.Data3, 0x8000, 0xB008);
        cpu.Poke64(Scene.Tss + 4, 0x8000_0000_0000);
        Scene.SetIdt64(cpu, 0x20, Scene.Code64, 0x4567, dpl: 3);

        cpu.Run(0xCD, 0x20).Should().Be(Outcome.Fault);

        cpu.Fault.Should().Be("12(0)");
    }

    [Fact]
    public void Iretq_to_a_null_ss_is_allowed_above_ring_3_only()
    {
        using TestProcessor cpu = Scene.Long();
        VcpuState* s = cpu.S;
        s->General[4] = 0x9000;
        cpu.Poke64(0x9000, 0x4444, Scene.Code64, 2, 0xA000, 0);
        cpu.Run(0x48, 0xCF).Should().Be(Outcome.Branch);
        s->General[4].Should().Be(0xA000);
        cpu.Segment(SegmentIndex.Ss).Unusable.Should().BeTrue();

        s->General[4] = 0x9000;
        cpu.Poke64(0x9000, 0x4444, Scene.Code64User, 2, 0xA000, 3);
        cpu.Run(0x48, 0xCF).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");

        cpu.Poke64(0x9000, 0x8000_0000_0000, Scene.Code64, 2, 0xA000, 0);
        cpu.Run(0x48, 0xCF).Should().Be(Outcome.Fault, "RIP is not canonical");

        s->FlagsSystem |= LazyFlags.Nt;
        cpu.Poke64(0x9000, 0x4444);
        cpu.Run(0x48, 0xCF).Should().Be(Outcome.Fault, "NT in long mode");
    }
}
