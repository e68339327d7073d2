using Vmm.X86.Execution;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Tests.X87;

/// <summary>
/// What surrounds the arithmetic: availability, pending exceptions, faults and exits in the middle (SDM Vol. 1 8.6 and 8.7, Vol. 3A 2.5).
/// </summary>
public sealed unsafe class X87SystemTests
{
    private static readonly byte[] s_fadd = [0xD8, 0xC1];
    private static readonly byte[] s_wait = [0x9B];
    private static readonly byte[] s_emms = [0x0F, 0x77];

    [Theory]
    [InlineData(Cr0Bits.TaskSwitched, "7")]
    [InlineData(Cr0Bits.Emulation, "7")]
    [InlineData(Cr0Bits.MonitorCoprocessor, null)]
    public void Arithmetic_unavailable_unit_raises_device_not_available(ulong cr0, string? fault) => Check(s_fadd, cr0, fault);

    [Theory]
    [InlineData(Cr0Bits.TaskSwitched, null)]
    [InlineData(Cr0Bits.Emulation, null)]
    [InlineData(Cr0Bits.TaskSwitched | Cr0Bits.MonitorCoprocessor, "7")]
    public void Wait_raises_device_not_available_only_with_task_switched_and_monitor(ulong cr0, string? fault) => Check(s_wait, cr0, fault);

    [Theory]
    [InlineData(Cr0Bits.Emulation, "6")]
    [InlineData(Cr0Bits.TaskSwitched, "7")]
    public void Emms_emulation_is_invalid_opcode(ulong cr0, string fault) => Check(s_emms, cr0, fault);

    [Theory]
    [InlineData(new byte[] { 0xD9, 0x3F })]
    [InlineData(new byte[] { 0xDF, 0xE0 })]
    [InlineData(new byte[] { 0xDB, 0xE3 })]
    [InlineData(new byte[] { 0xDD, 0x37 })]
    [InlineData(new byte[] { 0x0F, 0xAE, 0x07 })]
    public void Control_instruction_unavailable_unit_raises_device_not_available(byte[] bytes) => Check(bytes, Cr0Bits.TaskSwitched, "7");

    [Theory]
    [InlineData(new byte[] { 0xD8, 0xC1 })]
    [InlineData(new byte[] { 0x9B })]
    [InlineData(new byte[] { 0xD9, 0x2F })]
    [InlineData(new byte[] { 0xD9, 0x27 })]
    [InlineData(new byte[] { 0xDD, 0x27 })]
    [InlineData(new byte[] { 0xD9, 0xD0 })]
    [InlineData(new byte[] { 0x0F, 0x77 })]
    public void Waiting_instruction_pending_exception_raises_floating_point_fault_and_changes_nothing(byte[] bytes)
    {
        using X87Machine machine = Pending();
        ushort status = machine.State->FpuStatus;
        machine.Cpu.Run(bytes).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("16");
        machine.State->FpuStatus.Should().Be(status);
        machine.State->Rip.Should().Be(X87Machine.Code);
    }

    [Theory]
    [InlineData(new byte[] { 0xD9, 0x3F })]
    [InlineData(new byte[] { 0xDD, 0x3F })]
    [InlineData(new byte[] { 0xDF, 0xE0 })]
    [InlineData(new byte[] { 0xDB, 0xE2 })]
    [InlineData(new byte[] { 0xDB, 0xE3 })]
    [InlineData(new byte[] { 0xD9, 0x37 })]
    [InlineData(new byte[] { 0xDD, 0x37 })]
    [InlineData(new byte[] { 0x0F, 0xAE, 0x07 })]
    [InlineData(new byte[] { 0x0F, 0xAE, 0x0F })]
    public void Control_instruction_pending_exception_does_not_wait(byte[] bytes)
    {
        using X87Machine machine = Pending();
        machine.Cpu.Run(bytes).Should().Be(Outcome.Next);
    }

    [Fact]
    public void Waiting_instruction_pending_exception_without_numeric_error_runs_as_with_ignne()
    {
        using X87Machine machine = Pending();
        machine.State->Cr0 &= ~Cr0Bits.NumericError;
        machine.Cpu.UpdateMode();
        machine.Cpu.Run(s_wait).Should().Be(Outcome.Next);
        machine.Cpu.Run(s_fadd).Should().Be(Outcome.Next);
    }

    [Fact]
    public void Unmasked_zero_divide_keeps_operands_and_is_reported_by_the_next_waiting_instruction()
    {
        using X87Machine machine = new();
        machine.Cpu.Run(0xDB, 0xE3);
        machine.Cpu.Run(0xD9, 0xEE);
        machine.Cpu.Run(0xD9, 0xE8);
        machine.State->FpuControl = 0x37B;
        machine.Cpu.Run(0xDC, 0xF9).Should().Be(Outcome.Next); // fdiv st(1), st: 0 / 1
        machine.Cpu.Run(0xD8, 0xF1).Should().Be(Outcome.Next); // fdiv st, st(1): 1 / 0
        machine.Stack(0).Should().Be(Float80.One);
        machine.State->FpuStatus.Should().Be(0xB084);
        machine.State->FpuOpcode.Should().Be(0x0F1);
        machine.Cpu.Run(0xD9, 0xE0).Should().Be(Outcome.Fault); // fchs
        machine.Cpu.Fault.Should().Be("16");
    }

    [Fact]
    public void Store_and_pop_to_device_memory_pops_once_after_the_answers()
    {
        using X87Machine machine = new();
        machine.Cpu.Run(0xDB, 0xE3);
        machine.Cpu.Run(0xD9, 0xEB);
        machine.State->General[7] = TestProcessor.MemorySize;
        byte[] store = [0xDB, 0x3F]; // fstp tbyte [rdi]
        machine.Cpu.Run(store).Should().Be(Outcome.Exit);
        machine.Cpu.Request.Kind.Should().Be(ExternalRequestKind.MmioWrite);
        machine.Cpu.Request.Value.Should().Be(0xC90F_DAA2_2168_C235);
        machine.State->FpuStatus.Should().Be(0x3800, "nothing is committed before the store is made");
        machine.Cpu.Answer();
        machine.Cpu.Run(store).Should().Be(Outcome.Exit);
        machine.Cpu.Request.Value.Should().Be(0x4000);
        machine.Cpu.Request.Size.Should().Be(2);
        machine.Cpu.Answer();
        machine.Cpu.Run(store).Should().Be(Outcome.Next);
        machine.State->FpuStatus.Should().Be(0);
        machine.State->FpuTags.Should().Be(0);
    }

    [Fact]
    public void Fxsave_unaligned_is_general_protection()
    {
        using X87Machine machine = new();
        machine.State->General[7] = X87Machine.Data + 8;
        machine.Cpu.Run(0x0F, 0xAE, 0x07).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
        machine.Cpu.Run(0x0F, 0xAE, 0x0F).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
    }

    [Fact]
    public void Fxrstor_reserved_mxcsr_bit_is_general_protection_and_changes_nothing()
    {
        using X87Machine machine = new();
        machine.State->General[7] = X87Machine.Data;
        machine.State->FpuControl = 0x37F;
        machine.Cpu.Poke32(X87Machine.Data + 24, 0x0001_1F80);
        machine.Cpu.Run(0x0F, 0xAE, 0x0F).Should().Be(Outcome.Fault);
        machine.Cpu.Fault.Should().Be("13(0)");
        machine.State->FpuControl.Should().Be(0x37F);
    }

    private static X87Machine Pending()
    {
        X87Machine machine = new();
        machine.State->FpuControl = 0x37E;
        machine.State->FpuStatus = 0x8081;
        machine.State->General[7] = X87Machine.Data;
        machine.State->Rip = X87Machine.Code;
        machine.Cpu.Poke32(X87Machine.Data + 24, 0x1F80);
        return machine;
    }

    private static void Check(byte[] bytes, ulong cr0, string? fault)
    {
        using X87Machine machine = new();
        machine.State->Cr0 |= cr0;
        machine.State->General[7] = X87Machine.Data;
        machine.Cpu.UpdateMode();
        machine.Cpu.Run(bytes).Should().Be(fault == null ? Outcome.Next : Outcome.Fault);
        if (fault != null)
            machine.Cpu.Fault.Should().Be(fault);
    }
}
