using Vmm.X86.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Execution;

public sealed unsafe class DispatcherTests
{
    [Fact]
    public void Tail_calls_work_in_optimised_builds()
    {
#if DEBUG
        Dispatch.TailCalls.Should().BeFalse("an unoptimised build makes none");
#else
        Dispatch.TailCalls.Should().BeTrue();
#endif
    }

    [Fact]
    public void Counted_loop_ends_with_exact_registers_and_count()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Iced.Intel.Label loop = a.CreateLabel();
            a.xor(eax, eax);
            a.mov(ecx, 1_000_000);
            a.Label(ref loop);
            a.add(rax, rcx);
            a.dec(rcx);
            a.jnz(loop);
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(500_000_500_000);
        cpu.State->InstructionsRetired.Should().Be(2 + 3_000_000 + 1);
        cpu.State->Activity.Should().Be(Activity.Halted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(12345)]
    public void Budget_stops_exactly(int budget)
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Iced.Intel.Label loop = a.CreateLabel();
            a.Label(ref loop);
            a.inc(rax);
            a.cmp(rax, 3);
            a.push(rax);
            a.pop(rbx);
            a.jmp(loop);
        });
        cpu.Execute((ulong)budget).Should().Be(RunResult.Budget);
        cpu.State->InstructionsRetired.Should().Be((ulong)budget);
        cpu.State->General[0].Should().Be((ulong)((budget + 4) / 5));
    }

    [Fact]
    public void Calls_and_returns_recurse()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Iced.Intel.Label fib = a.CreateLabel(), leaf = a.CreateLabel();
            a.mov(edi, 20);
            a.call(fib);
            a.hlt();
            a.Label(ref fib);
            a.cmp(rdi, 2);
            a.jb(leaf);
            a.push(rbx);
            a.push(rdi);
            a.dec(rdi);
            a.call(fib);
            a.mov(rbx, rax);
            a.pop(rdi);
            a.sub(rdi, 2);
            a.call(fib);
            a.add(rax, rbx);
            a.pop(rbx);
            a.ret();
            a.Label(ref leaf);
            a.mov(rax, rdi);
            a.ret();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(6765);
        cpu.State->General[4].Should().Be(FlatProcessor.Stack);
    }

    [Fact]
    public void Kick_leaves_an_endless_loop()
    {
        using FlatProcessor cpu = new();
        cpu.Load(FlatProcessor.Code, 0xEB, 0xFE); // jmp $
        using Timer timer = new(_ => cpu.RequestKick(4), null, 50, Timeout.Infinite);
        cpu.Execute().Should().Be(RunResult.Kick);
        cpu.State->Rip.Should().Be(FlatProcessor.Code);
        cpu.ClearKick(4).Should().Be(4);
    }

    [Fact]
    public void Garbage_collection_is_not_held_up_by_guest_code()
    {
        using FlatProcessor cpu = new();
        cpu.Load(FlatProcessor.Code, 0xEB, 0xFE); // jmp $
        Thread thread = new(() => cpu.Execute());
        thread.Start();
        Thread.Sleep(20);
        for (int i = 0; i < 5; i++)
            GC.Collect();
        cpu.RequestKick(1);
        thread.Join(10_000).Should().BeTrue();
    }

    [Fact]
    public void Unknown_instruction_is_an_invalid_opcode_fault_at_its_address()
    {
        using FlatProcessor cpu = new();
        cpu.Load(FlatProcessor.Code, 0x90, 0x0F, 0x0B); // nop; ud2
        cpu.Execute().Should().Be(RunResult.Fault);
        cpu.State->Fault.Vector.Should().Be(ExceptionVector.InvalidOpcode);
        cpu.State->Rip.Should().Be(FlatProcessor.Code + 1);
        cpu.State->InstructionsRetired.Should().Be(1);
    }

    [Fact]
    public void Load_from_unmapped_memory_exits_and_completes_with_the_answer()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.mov(eax, 7);
            a.add(eax, __dword_ptr[0x10000000]);
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Exit);
        cpu.Request.Kind.Should().Be(ExternalRequestKind.MmioRead);
        cpu.Request.Address.Should().Be(0x10000000);
        cpu.Request.Size.Should().Be(4);
        cpu.State->Rip.Should().Be(FlatProcessor.Code + 5);
        cpu.Answer(35);
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(42);
        cpu.State->InstructionsRetired.Should().Be(3);
    }
}
