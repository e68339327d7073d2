using Vmm.X86.Execution;
using Vmm.X86.Tests.Privileged;

namespace Vmm.X86.Tests.Events;

/// <summary>Delivery through the protected-mode IDT (SDM Vol. 3A 6.12).</summary>
public sealed unsafe class ProtectedDeliveryTests
{
    private const uint Interrupt32 = 14, Trap32 = 15, Interrupt16 = 6;

    [Fact]
    public void Fault_from_ring_3_switches_to_the_inner_stack_and_pushes_the_frame()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8123, Scene.Stack3);
        Scene.SetIdt(cpu, 13, Scene.GateOf(Scene.Code0, 0x4567, Interrupt32, 0));
        LazyFlags.Set(s, 0x202);
        cpu.Raise(13, 0x18);

        cpu.QueueFault();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);

        s->Rip.Should().Be(0x4567);
        s->Cpl.Should().Be(0);
        s->General[4].Should().Be(Scene.Stack0 - 24);
        uint[] frame = [.. Enumerable.Range(0, 6).Select(i => cpu.Peek32(Scene.Stack0 - 24 + (4 * (ulong)i)))];
        frame.Should().Equal(0x18, 0x8123, Scene.Code3, 0x1_0202, (uint)Scene.Stack3, Scene.Data3);
        (LazyFlags.Get(s) & LazyFlags.If).Should().Be(0);
        cpu.HasEvent.Should().BeFalse();
    }

    [Fact]
    public void External_interrupt_through_a_trap_gate_keeps_if_and_pushes_no_rf()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.SetIdt(cpu, 0x30, Scene.GateOf(Scene.Code0, 0x4567, Trap32, 0));
        LazyFlags.Set(s, 0x4302); // NT, TF, IF
        s->Activity = Activity.Halted;
        s->Shadow = InterruptShadow.Sti;

        cpu.DeliverEvent(EventKind.ExternalInterrupt, 0x30).Should().Be(Outcome.Branch);

        cpu.Peek32(Scene.Stack0 - 4).Should().Be(0x4302);
        LazyFlags.Get(s).Should().Be(0x202);
        s->Activity.Should().Be(Activity.Running);
        s->Shadow.Should().Be(InterruptShadow.None);
    }

    [Fact]
    public void Sixteen_bit_gate_pushes_words()
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.SetIdt(cpu, 0x30, Scene.GateOf(Scene.Code0, 0x12_4567, Interrupt16, 0));

        cpu.DeliverEvent(EventKind.ExternalInterrupt, 0x30).Should().Be(Outcome.Branch);

        cpu.S->Rip.Should().Be(0x4567);
        cpu.S->General[4].Should().Be(Scene.Stack0 - 6);
        cpu.Peek16(Scene.Stack0 - 6).Should().Be(0x8000);
        cpu.Peek16(Scene.Stack0 - 4).Should().Be(Scene.Code0);
    }

    [Theory]
    [InlineData(Scene.Code0, Interrupt32, 0, true, "13(102)", "INT n needs gate DPL >= CPL")]
    [InlineData(Scene.Code0, Interrupt32, 3, false, "11(102)", "the gate is not present")]
    [InlineData(Scene.Code0, 12U, 3, true, "13(102)", "a call gate is no interrupt gate")]
    [InlineData((ushort)0, Interrupt32, 3, true, "13(0)", "a null code selector")]
    [InlineData(Scene.Data0, Interrupt32, 3, true, "13(10)", "not code")]
    [InlineData((ushort)0x200, Interrupt32, 3, true, "13(200)", "beyond the GDT")]
    [InlineData(Scene.NotPresentCode, Interrupt32, 3, true, "11(50)", "code not present")]
    public void Int_n_from_ring_3_with_a_bad_gate_faults_without_ext(ushort selector, uint type, uint dpl, bool present, string fault,
        string why)
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        Scene.SetIdt(cpu, 0x20, Scene.GateOf(selector, 0x4567, type, dpl, present));

        cpu.Run(0xCD, 0x20).Should().Be(Outcome.Fault, why);

        cpu.Fault.Should().Be(fault, why);
        cpu.S->Rip.Should().Be(0x8000);
        cpu.S->General[4].Should().Be(Scene.Stack3);
    }

    [Fact]
    public void Int_n_returns_to_the_next_instruction_and_iret_goes_back()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        LazyFlags.Set(s, 0x246);
        Scene.SetIdt(cpu, 0x80, Scene.GateOf(Scene.Code0, 0x4567, Interrupt32, 3));

        cpu.Run(0xCD, 0x80).Should().Be(Outcome.Branch);
        s->Cpl.Should().Be(0);
        s->FlagsSystem |= LazyFlags.Nt;
        s->FlagsSystem &= ~LazyFlags.Nt;
        cpu.Run(0xCF).Should().Be(Outcome.Branch);

        s->Rip.Should().Be(0x8002);
        s->Cpl.Should().Be(3);
        s->General[4].Should().Be(Scene.Stack3);
        LazyFlags.Get(s).Should().Be(0x246);
        cpu.Segment(SegmentIndex.Ss).Selector.Should().Be(Scene.Data3);
        cpu.Segment(SegmentIndex.Ds).Selector.Should().Be(Scene.Data3);
    }

    [Fact]
    public void Iret_to_ring_3_nulls_inner_data_segments_and_keeps_iopl_for_ring_0_only()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        s->General[4] = 0x9000;
        foreach ((ulong slot, uint value) in new (ulong, uint)[] { (0, 0x8765), (4, Scene.Code3), (8, 0x3202), (12, (uint)Scene.Stack3),
            (16, Scene.Data3) })
            cpu.Poke32(0x9000 + slot, value);

        cpu.Run(0xCF).Should().Be(Outcome.Branch);

        cpu.Segment(SegmentIndex.Ds).Unusable.Should().BeTrue();
        cpu.Segment(SegmentIndex.Ds).Selector.Should().Be(0);
        LazyFlags.Get(s).Should().Be(0x3202);
        s->General[4] = 0x9000;
        cpu.Poke32(0x9008, 2);
        cpu.Run(0xCF).Should().Be(Outcome.Branch, "ring 3 returns to ring 3");
        LazyFlags.Get(s).Should().Be(0x3002, "IF follows because CPL <= IOPL, IOPL itself stays");
    }

    [Fact]
    public void Contributory_faults_become_a_double_fault_and_then_a_shutdown()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.SetIdt(cpu, 8, Scene.GateOf(Scene.Code0, 0x1234, Interrupt32, 0));
        cpu.Raise(11, 0x50); // #NP: its gate is empty, so #GP follows

        cpu.QueueFault();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);

        s->Rip.Should().Be(0x1234);
        cpu.Peek32(Scene.Stack0 - 16).Should().Be(0, "#DF pushes zero");

        Scene.SetIdt(cpu, 8, 0);
        cpu.Raise(13, 0);
        cpu.QueueFault();
        cpu.DeliverEvent().Should().Be(Outcome.NextBlock);
        s->Activity.Should().Be(Activity.Shutdown);
        cpu.HasEvent.Should().BeFalse();
    }

    [Fact]
    public void Benign_exception_whose_gate_is_bad_is_replaced_by_the_second_with_ext()
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.SetIdt(cpu, 13, Scene.GateOf(Scene.Code0, 0x1234, Interrupt32, 0));
        cpu.Raise(6);

        cpu.QueueFault();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);

        cpu.S->Rip.Should().Be(0x1234);
        cpu.Peek32(Scene.Stack0 - 16).Should().Be((6 << 3) | 2 | 1);
    }

    [Theory]
    [InlineData(0U, "8(0)", "a null SS in the TSS: #TS, which after #GP doubles")]
    public void Inner_stack_of_the_tss_is_checked(uint ss, string becomes, string why)
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        cpu.Poke32(Scene.Tss + 8, ss);
        Scene.SetIdt(cpu, 13, Scene.GateOf(Scene.Code0, 0x1234, Interrupt32, 0));
        Scene.SetIdt(cpu, 8, Scene.GateOf(Scene.Code0, 0x1234, Interrupt32, 0));
        cpu.Raise(13, 0);
        cpu.QueueFault();

        cpu.DeliverEvent().Should().Be(Outcome.NextBlock, why);

        becomes.Should().Be("8(0)");
        cpu.S->Activity.Should().Be(Activity.Shutdown, "the double fault needs the same stack");
    }

    [Theory]
    [InlineData(0x0000U, "10(0)")]
    [InlineData(0x0011U, "10(10)")]
    [InlineData(0x0058U, "10(58)")]
    [InlineData(0x0078U, "12(78)")]
    [InlineData(0x0200U, "10(200)")]
    [InlineData(0x0070U, "10(70)")]
    public void Int_n_with_a_bad_inner_stack_faults_with_its_selector(uint ss, string fault)
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.EnterCode(cpu, Scene.Code3, Scene.Data3, 0x8000, Scene.Stack3);
        cpu.Poke32(Scene.Tss + 8, ss);
        Scene.SetIdt(cpu, 0x20, Scene.GateOf(Scene.Code0, 0x1234, Interrupt32, 3));

        cpu.Run(0xCD, 0x20).Should().Be(Outcome.Fault);

        cpu.Fault.Should().Be(fault);
    }

    [Fact]
    public void Nmi_blocks_nmis_until_iret_even_one_that_faults()
    {
        using TestProcessor cpu = Scene.Protected();
        Scene.SetIdt(cpu, 2, Scene.GateOf(Scene.Code0, 0x4567, Interrupt32, 0));
        cpu.DeliverEvent(EventKind.NonMaskableInterrupt, 2).Should().Be(Outcome.Branch);
        cpu.S->NmiBlocked.Should().BeTrue();
        cpu.Poke32(Scene.Stack0 - 8, 0);

        cpu.Run(0xCF).Should().Be(Outcome.Fault);

        cpu.S->NmiBlocked.Should().BeFalse();
    }

    [Fact]
    public void Debug_exception_merges_dr6_and_clears_general_detect()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.SetIdt(cpu, 1, Scene.GateOf(Scene.Code0, 0x4567, Interrupt32, 0));
        s->Debug[6] |= 3;
        s->Debug[7] |= 0x2000;
        s->PendingDebugTrap = 0x4008;

        cpu.QueueDebugTrap();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);

        s->Debug[6].Should().Be(0xFFFF_0FF0 | 0x4008);
        s->Debug[7].Should().Be(0x400);
        s->PendingDebugTrap.Should().Be(0);
    }

    [Fact]
    public void Delivery_that_needs_the_outside_stays_queued_and_changes_nothing()
    {
        using TestProcessor cpu = Scene.Protected();
        VcpuState* s = cpu.S;
        Scene.SetIdt(cpu, 0x30, Scene.GateOf(Scene.Code0, 0x4567, Interrupt32, 0));
        s->General[4] = 0x40_0008; // beyond memory
        cpu.DeliverEvent(EventKind.ExternalInterrupt, 0x30).Should().Be(Outcome.Exit);
        cpu.HasEvent.Should().BeTrue();
        s->Rip.Should().Be(0x8000);
        s->General[4].Should().Be(0x40_0008);
        cpu.Request.Kind.Should().Be(ExternalRequestKind.MmioWrite);
        cpu.Request.Address.Should().Be(0x40_0004);

        cpu.Answer();
        cpu.DeliverEvent().Should().Be(Outcome.Exit);
        cpu.Request.Address.Should().Be(0x40_0000);
        cpu.Answer();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);
        s->General[4].Should().Be(0x3F_FFFC);
        cpu.Peek32(0x3F_FFFC).Should().Be(0x8000);
        cpu.HasAnswers.Should().BeFalse();
    }
}
