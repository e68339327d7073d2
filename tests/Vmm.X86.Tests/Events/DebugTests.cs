using Vmm.X86.Execution;
using Vmm.X86.Tests.Privileged;

namespace Vmm.X86.Tests.Events;

/// <summary>Breakpoints, single step, RF and the debug registers (SDM Vol. 3B 18.2, 18.3), by the dispatcher.</summary>
public sealed unsafe class DebugTests
{
    private static TestProcessor Guest(params byte[] code)
    {
        TestProcessor cpu = Scene.Long();
        cpu.Poke(0x8000, code);
        Scene.SetIdt64(cpu, 1, Scene.Code64, 0x7000);
        cpu.Poke(0x7000, 0xF4);
        return cpu;
    }

    [Fact]
    public void Trap_flag_stops_after_each_instruction()
    {
        using TestProcessor cpu = Guest(0x90, 0x90);
        cpu.S->FlagsSystem |= LazyFlags.Tf;
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.DebugTrap);
        cpu.S->Rip.Should().Be(0x8001);
        cpu.S->PendingDebugTrap.Should().Be(0x4000);
        cpu.QueueDebugTrap();
        cpu.DeliverEvent().Should().Be(Outcome.Branch);
        cpu.S->Debug[6].Should().Be(0xFFFF_4FF0);
        (cpu.S->Mode & ExecutionMode.SingleStep).Should().Be(0, "the handler runs without TF");
    }

    [Fact]
    public void Instruction_breakpoint_is_a_fault_and_rf_steps_over_it()
    {
        using TestProcessor cpu = Guest(0x90, 0x90, 0xF4);
        VcpuState* s = cpu.S;
        s->Debug[0] = 0x8001;
        s->Debug[7] = 0x402;
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.Fault);
        (s->Rip, s->Fault.Vector, s->Fault.Payload).Should().Be((0x8001UL, (byte)1, 1UL));
        cpu.QueueFault();
        cpu.DeliverEvent();
        (cpu.Peek64(s->General[4] + 16) & LazyFlags.Rf).Should().Be(0, "an instruction breakpoint saves RF as it was");

        s->Rip = 0x8001;
        s->FlagsSystem |= LazyFlags.Rf;
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.Idle);
        s->Rip.Should().Be(0x8003);
        (s->FlagsSystem & LazyFlags.Rf).Should().Be(0);
    }

    [Fact]
    public void Data_breakpoint_traps_after_the_access()
    {
        using TestProcessor cpu = Guest(0x88, 0x04, 0x25, 0x02, 0x60, 0x00, 0x00, 0x90, 0xF4); // mov [0x6002], al
        VcpuState* s = cpu.S;
        s->Debug[1] = 0x6000;
        s->Debug[7] = 0x400 | 8 | (0xDUL << 20); // DR1: write, 4 bytes
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        s->General[0] = 0x5A;
        cpu.Execute(10).Should().Be(RunResult.DebugTrap);
        s->Rip.Should().Be(0x8007);
        s->PendingDebugTrap.Should().Be(2);
        cpu.Peek8(0x6002).Should().Be(0x5A);
    }

    [Fact]
    public void Mov_ss_holds_the_single_step_trap_off()
    {
        using TestProcessor cpu = Guest(0x8E, 0xD0, 0x90, 0xF4); // mov ss, eax; nop
        cpu.S->General[0] = Scene.Data0;
        cpu.S->FlagsSystem |= LazyFlags.Tf;
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.DebugTrap);
        cpu.S->Rip.Should().Be(0x8003);
    }

    [Fact]
    public void Debug_register_moves_obey_de_gd_and_the_upper_half()
    {
        using TestProcessor cpu = Guest();
        VcpuState* s = cpu.S;
        s->General[0] = 0xFFFF_FFFF;
        cpu.Run(0x0F, 0x23, 0xF8).Should().Be(Outcome.NextBlock); // mov dr7, rax
        s->Debug[7].Should().Be(0xFFFF_27FF);
        cpu.Run(0x0F, 0x21, 0xF3).Should().Be(Outcome.Fault, "GD is set");
        cpu.Fault.Should().Be("1");
        s->Fault.Payload.Should().Be(0x2000);
        s->Debug[7] = 0x400;
        cpu.Run(0x0F, 0x21, 0xEB).Should().Be(Outcome.Next, "DR5 is DR7 without DE"); // mov rbx, dr5
        s->General[3].Should().Be(0x400);
        s->Cr4 |= Cr4Bits.DebuggingExtensions;
        cpu.Run(0x0F, 0x21, 0xEB).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("6");
        s->General[0] = 0x1_0000_0000;
        cpu.Run(0x0F, 0x23, 0xF0).Should().Be(Outcome.Fault, "the upper half of DR6 is reserved");
        cpu.Fault.Should().Be("13(0)");
    }

    [Theory]
    [InlineData(0x100UL, 0U)]
    [InlineData(0UL, 0x4000U)]
    public void Syscall_is_followed_by_a_single_step_trap_only_if_its_mask_leaves_tf(ulong mask, uint pending)
    {
        using TestProcessor cpu = Guest(0x0F, 0x05);
        VcpuState* s = cpu.S;
        s->Star = 0x0010_0008_0000_0000;
        s->Lstar = 0x7000;
        s->SyscallMask = mask;
        s->FlagsSystem |= LazyFlags.Tf;
        cpu.UpdateMode();
        cpu.Execute(1);
        s->Rip.Should().Be(0x7000);
        s->PendingDebugTrap.Should().Be(pending);
        s->General[11].Should().Be(0x102);
        s->General[1].Should().Be(0x8002);
    }

    [Fact]
    public void Sysret_checks_rip_and_restores_the_users_segments()
    {
        using TestProcessor cpu = Guest();
        VcpuState* s = cpu.S;
        s->Star = 0x0010_0008_0000_0000;
        s->General[1] = 0x8000_0000_0000;
        cpu.Run(0x48, 0x0F, 0x07).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("13(0)");
        s->General[1] = 0x7FFF_FFFF_F000;
        s->General[11] = 0x3_3202 | LazyFlags.Rf;
        cpu.Run(0x48, 0x0F, 0x07).Should().Be(Outcome.Branch);
        (cpu.Segment(SegmentIndex.Cs).Selector, cpu.Segment(SegmentIndex.Ss).Selector, s->Cpl).Should().Be(((ushort)0x23, (ushort)0x1B,
            3U));
        LazyFlags.Get(s).Should().Be(0x3202, "RF and VM are not restored");
        cpu.Run(0x48, 0x0F, 0x07).Should().Be(Outcome.Fault, "ring 3");
        s->Efer &= ~EferBits.SyscallEnable;
        cpu.Run(0x0F, 0x05).Should().Be(Outcome.Fault);
        cpu.Fault.Should().Be("6");
    }

    // SDM Vol. 3B 18.3.1.4: the trap comes after each iteration, and RIP stays until the last.
    [Fact]
    public void Trap_flag_stops_after_each_element_of_a_repeated_string_instruction()
    {
        using TestProcessor cpu = Guest(0xF3, 0xA4, 0xF4); // rep movsb
        VcpuState* s = cpu.S;
        s->General[1] = 3;
        s->General[6] = 0x5000;
        s->General[7] = 0x6000;
        s->FlagsSystem |= LazyFlags.Tf;
        cpu.UpdateMode();
        for (ulong left = 2; left < 3; left--)
        {
            cpu.Execute(10).Should().Be(RunResult.DebugTrap);
            s->General[1].Should().Be(left);
            s->Rip.Should().Be(left == 0 ? 0x8002UL : 0x8000UL);
            s->PendingDebugTrap.Should().Be(0x4000);
            s->PendingDebugTrap = 0;
        }
    }

    // SDM Vol. 3B 18.3.1.2: any byte of the access, and the lengths 1, 2, 4 and 8.
    [Theory]
    [InlineData(0x6000UL, 2U, 0x6007UL, true)]
    [InlineData(0x6000UL, 2U, 0x6008UL, false)]
    [InlineData(0x6003UL, 0U, 0x6003UL, true)]
    [InlineData(0x6003UL, 0U, 0x6002UL, false)]
    [InlineData(0x6002UL, 1U, 0x6003UL, true)]
    [InlineData(0x6002UL, 1U, 0x6001UL, false)]
    [InlineData(0x6004UL, 3U, 0x6007UL, true)]
    [InlineData(0x6004UL, 3U, 0x6003UL, false)]
    public void Data_breakpoint_watches_as_many_bytes_as_dr7_says(ulong breakpoint, uint length, ulong accessed, bool hit)
    {
        using TestProcessor cpu = Guest(0x8A, 0x01, 0xF4); // mov al, [rcx]
        VcpuState* s = cpu.S;
        s->General[1] = accessed;
        s->Debug[2] = breakpoint;
        s->Debug[7] = 0x400 | 0x20 | (3UL << 24) | ((ulong)length << 26); // DR2: read and write
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(hit ? RunResult.DebugTrap : RunResult.Idle);
        s->PendingDebugTrap.Should().Be(hit ? 4U : 0);
    }

    [Fact]
    public void Read_does_not_hit_a_breakpoint_on_writes()
    {
        using TestProcessor cpu = Guest(0x8A, 0x01, 0xF4);
        VcpuState* s = cpu.S;
        s->General[1] = s->Debug[2] = 0x6000;
        s->Debug[7] = 0x400 | 0x20 | (1UL << 24);
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.Idle);
    }

    // SDM Vol. 3B 18.3.1.2: with CR4.DE an R/W field of 2 watches ports; without, it watches nothing.
    [Theory]
    [InlineData(0x80, true, true)]
    [InlineData(0x81, true, false)]
    [InlineData(0x80, false, false)]
    public void Port_breakpoint_traps_after_the_access(byte port, bool enabled, bool hit)
    {
        using TestProcessor cpu = Guest(0xE6, port, 0xF4); // out port, al
        VcpuState* s = cpu.S;
        s->Debug[0] = 0x80;
        s->Debug[7] = 0x400 | 2 | (2UL << 16);
        if (enabled)
            s->Cr4 |= Cr4Bits.DebuggingExtensions;
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        RunResult result = cpu.Execute(10);
        if (result == RunResult.Exit)
        {
            cpu.Answer(0);
            result = cpu.Execute(10);
        }
        result.Should().Be(hit ? RunResult.DebugTrap : RunResult.Idle);
    }

    // SDM Vol. 2A INT n/INTO/INT3/INT1: INT1 is a trap that sets no bit of DR6 and heeds no privilege.
    [Fact]
    public void Int1_enters_the_debug_handler_and_leaves_dr6()
    {
        using TestProcessor cpu = Guest(0xF1, 0x90);
        ulong before = cpu.S->Debug[6];
        cpu.Execute(10).Should().Be(RunResult.Idle);
        cpu.S->Rip.Should().Be(0x7001);
        cpu.Peek64(cpu.S->General[4]).Should().Be(0x8001);
        cpu.S->Debug[6].Should().Be(before);
    }

    [Fact]
    public void Step_and_data_breakpoint_of_one_instruction_make_one_exception()
    {
        using TestProcessor cpu = Guest(0x8A, 0x01, 0xF4);
        VcpuState* s = cpu.S;
        s->General[1] = s->Debug[2] = 0x6000;
        s->Debug[7] = 0x400 | 0x20 | (3UL << 24);
        s->FlagsSystem |= LazyFlags.Tf;
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        cpu.Execute(10).Should().Be(RunResult.DebugTrap);
        cpu.QueueDebugTrap();
        cpu.DeliverEvent();
        s->Debug[6].Should().Be(0xFFFF_4FF4);
    }
}
