using Iced.Intel;
using Vmm.X86.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Execution;

public sealed unsafe class SelfModifyingCodeTests
{
    [Fact]
    public void Store_to_the_next_instruction_takes_effect_at_once()
    {
        using FlatProcessor cpu = new();
        // b0 = mov al, imm8; the immediate of the second MOV is patched by the instruction before it.
        cpu.Load(FlatProcessor.Code,
            0xC6, 0x05, 0x01, 0x00, 0x00, 0x00, 0x2A, // mov byte [rip+1], 42
            0xB0, 0x01, //                               mov al, 1
            0xF4); //                                    hlt
        cpu.Execute().Should().Be(RunResult.Idle);
        ((byte)cpu.State->General[0]).Should().Be(42);
        cpu.State->InstructionsRetired.Should().Be(3);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(200)]
    [InlineData(5000)]
    public void Loop_that_patches_itself_each_time_sums_every_value(int rounds)
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Label loop = a.CreateLabel(), patched = a.CreateLabel();
            a.mov(ecx, rounds);
            a.xor(eax, eax);
            a.lea(rsi, __[patched]);
            a.Label(ref loop);
            a.mov(__dword_ptr[rsi + 1], ecx);
            a.Label(ref patched);
            a.mov(edx, 0x11223344);
            a.add(rax, rdx);
            a.dec(ecx);
            a.jnz(loop);
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be((ulong)rounds * (ulong)(rounds + 1) / 2);
        cpu.State->InstructionsRetired.Should().Be(3UL + (5UL * (ulong)rounds) + 1);
    }

    [Fact]
    public void Data_next_to_code_does_not_cost_the_code()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Label loop = a.CreateLabel();
            a.mov(ecx, 10_000);
            a.Label(ref loop);
            a.inc(__qword_ptr[FlatProcessor.Code + 0x800]);
            a.dec(ecx);
            a.jnz(loop);
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        (*(ulong*)(cpu.Memory + FlatProcessor.Code + 0x800)).Should().Be(10_000);
        cpu.TrackedWrites.Should().Be(10_000);
    }

    [Fact]
    public void Page_that_has_been_written_through_the_fast_path_is_watched_once_it_holds_code()
    {
        using FlatProcessor cpu = new();
        cpu.Load(0x3000, 0xB0, 0x01, 0xC3); // mov al, 1; ret
        cpu.Assemble(a =>
        {
            a.mov(rbx, 0x3000);
            a.mov(__byte_ptr[rbx + 0x100], 1); // now in the write TLB
            a.call(rbx);
            a.mov(ecx, eax);
            a.mov(__byte_ptr[rbx + 1], 7);
            a.call(rbx);
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        ((byte)cpu.State->General[1]).Should().Be(1);
        ((byte)cpu.State->General[0]).Should().Be(7);
    }

    [Fact]
    public void First_block_of_a_page_that_was_writable_may_change_itself()
    {
        using FlatProcessor cpu = new();
        cpu.Load(0x3000,
            0xC6, 0x05, 0x01, 0x00, 0x00, 0x00, 0x2A, // mov byte [rip+1], 42
            0xB0, 0x01, //                               mov al, 1
            0xF4); //                                    hlt
        cpu.Assemble(a =>
        {
            a.mov(rbx, 0x3000);
            a.mov(__byte_ptr[rbx + 0x100], 1); // now in the write TLB
            a.jmp(rbx);
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        ((byte)cpu.State->General[0]).Should().Be(42);
    }

    [Fact]
    public void Function_rewritten_by_another_processor_is_never_run_stale()
    {
        const int rounds = 20_000;
        using FlatProcessor reader = new();
        using FlatProcessor writer = new(reader);
        // The flag in memory: odd = the function is ready with that value, even = the caller has checked it.
        reader.Load(0x3000, 0xB8, 0, 0, 0, 0, 0xC3); // mov eax, imm32; ret
        reader.Assemble(a =>
        {
            Label wait = a.CreateLabel(), bad = a.CreateLabel();
            a.xor(ecx, ecx);
            a.mov(rbx, 0x3000);
            a.Label(ref wait);
            a.lea(edx, __[rcx + 1]);
            a.cmp(__dword_ptr[FlatProcessor.Data], edx);
            a.jne(wait);
            a.call(rbx);
            a.cmp(eax, edx);
            a.jne(bad);
            a.lea(ecx, __[rcx + 2]);
            a.mov(__dword_ptr[FlatProcessor.Data], ecx);
            a.cmp(ecx, rounds * 2);
            a.jne(wait);
            a.hlt();
            a.Label(ref bad);
            a.ud2();
        });
        writer.Assemble(a =>
        {
            Label wait = a.CreateLabel();
            a.xor(ecx, ecx);
            a.mov(rsi, 0x3001);
            a.Label(ref wait);
            a.cmp(__dword_ptr[FlatProcessor.Data], ecx);
            a.jne(wait);
            a.inc(ecx);
            a.mov(__dword_ptr[rsi], ecx);
            a.mov(__dword_ptr[FlatProcessor.Data], ecx);
            a.inc(ecx);
            a.cmp(ecx, rounds * 2);
            a.jne(wait);
            a.hlt();
        }, 0x5000);
        writer.State->Rip = 0x5000;
        writer.State->General[4] = 0xF000;
        Thread thread = new(() => writer.Execute());
        thread.Start();
        using Timer limit = new(_ =>
        {
            reader.RequestKick(1);
            writer.RequestKick(1);
        }, null, 60_000, Timeout.Infinite);
        reader.Execute().Should().Be(RunResult.Idle);
        thread.Join(10_000).Should().BeTrue();
        reader.State->General[1].Should().Be(rounds * 2);
    }

    [Fact]
    public void Host_write_that_is_notified_replaces_the_code()
    {
        using FlatProcessor cpu = new();
        cpu.Load(FlatProcessor.Code, 0xB0, 0x01, 0xF4);
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.Memory[FlatProcessor.Code + 1] = 9;
        cpu.CodeMap.Invalidate(FlatProcessor.Code + 1, 1);
        cpu.State->Activity = Activity.Running;
        cpu.State->Rip = FlatProcessor.Code;
        cpu.Execute().Should().Be(RunResult.Idle);
        ((byte)cpu.State->General[0]).Should().Be(9);
        cpu.CodeMap.HasCode(FlatProcessor.Code).Should().BeTrue();
    }

    [Fact]
    public void Store_by_another_processor_reaches_decoded_code()
    {
        CodeMap map = new();
        using FlatProcessor first = new(map: map);
        using FlatProcessor second = new(map: map);
        first.Load(FlatProcessor.Code, 0xEB, 0xFE); // jmp $
        Thread thread = new(() => first.Execute());
        thread.Start();
        SpinWait.SpinUntil(() => map.HasCode(FlatProcessor.Code), 5000).Should().BeTrue();
        *(ushort*)(first.Memory + FlatProcessor.Code) = 0x00F4; // hlt
        second.Assemble(a =>
        {
            a.mov(__byte_ptr[FlatProcessor.Code], 0xF4); // its own memory: what counts is the report
            a.hlt();
        }, 0x5000);
        second.State->Rip = 0x5000;
        second.Execute().Should().Be(RunResult.Idle);
        thread.Join(5000).Should().BeTrue();
        first.State->Activity.Should().Be(Activity.Halted);
    }

    [Fact]
    public void Code_dropped_again_and_again_still_runs()
    {
        // Six thousand short blocks, dropped and decoded again until the pages count as hot and are interpreted for a while.
        using FlatProcessor cpu = new();
        for (ulong address = 0x2000; address < 0xE000; address += 8)
            cpu.Load(address, 0x48, 0xFF, 0xC0, 0xEB, 0x03, 0x90, 0x90, 0x90); // inc rax; jmp +3
        cpu.Load(0xE000, 0xF4);
        for (int round = 0; round < 60; round++)
        {
            cpu.CodeMap.Invalidate(0x2000, 0xC000);
            cpu.State->Activity = Activity.Running;
            cpu.State->Rip = 0x2000;
            cpu.Execute().Should().Be(RunResult.Idle);
        }
        cpu.State->General[0].Should().Be(60UL * 0xC000 / 8);
    }
}
