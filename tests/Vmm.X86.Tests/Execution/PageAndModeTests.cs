using Iced.Intel;
using Vmm.X86.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Execution;

public sealed unsafe class PageAndModeTests
{
    [Fact]
    public void Instruction_across_two_pages_runs_and_follows_changes_of_either()
    {
        using FlatProcessor cpu = new();
        cpu.State->Rip = 0x1FFD;
        cpu.Load(0x1FFD, 0xB8, 0x78, 0x56, 0x34, 0x12, 0xF4); // mov eax, 0x12345678; hlt
        for (byte round = 0x12; round < 0x20; round++)
        {
            cpu.State->Activity = Activity.Running;
            cpu.State->Rip = 0x1FFD;
            cpu.Execute().Should().Be(RunResult.Idle);
            cpu.State->General[0].Should().Be(0x345678u | ((uint)round << 24));
            cpu.Memory[0x2001]++;
            cpu.CodeMap.Invalidate(0x2001, 1);
        }
        cpu.State->Rip.Should().Be(0x2003);
    }

    [Fact]
    public void Loop_over_a_page_boundary_counts_exactly()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            Label loop = a.CreateLabel();
            a.mov(ecx, 1000);
            a.Label(ref loop);
            for (int i = 0; i < 10; i++)
                a.add(rax, 5);
            a.dec(ecx);
            a.jnz(loop);
            a.hlt();
        }, 0x1FE3);
        cpu.State->Rip = 0x1FE3;
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(50_000);
        cpu.State->InstructionsRetired.Should().Be(1 + 12_000 + 1);
    }

    [Fact]
    public void One_page_of_code_runs_at_two_linear_addresses()
    {
        using FlatProcessor cpu = new() { Mirror = true };
        cpu.Assemble(a =>
        {
            Label skip = a.CreateLabel(), data = a.CreateLabel();
            a.lea(rax, __[data]);
            a.mov(rbx, __qword_ptr[data]);
            a.bt(__qword_ptr[data], 3); // through the instruction table
            a.setc(cl);
            a.call(skip);
            a.hlt();
            a.Label(ref skip);
            a.pop(rdx);
            a.push(rdx);
            a.ret();
            a.Label(ref data);
            a.dq(0x1122_3344_5566_7708);
        });
        ulong length = 0;
        foreach (ulong move in (ulong[])[0, 0x20_0000, 0x7FFF_0000_0000, 0xFFFF_8000_0000_0000, 0])
        {
            cpu.State->Activity = Activity.Running;
            cpu.State->Rip = FlatProcessor.Code + move;
            cpu.Execute().Should().Be(RunResult.Idle);
            length = length == 0 ? cpu.State->General[0] - FlatProcessor.Code : length;
            cpu.State->General[0].Should().Be(FlatProcessor.Code + move + length);
            cpu.State->General[3].Should().Be(0x1122_3344_5566_7708);
            ((byte)cpu.State->General[1]).Should().Be(1);
            cpu.State->General[2].Should().Be(cpu.State->Rip - 1);
        }
    }

    [Fact]
    public void Real_mode_calls_loops_and_copies()
    {
        using FlatProcessor cpu = new();
        cpu.Set16();
        cpu.Assemble(a =>
        {
            Label routine = a.CreateLabel(), loop = a.CreateLabel();
            a.mov(cx, 5);
            a.xor(ax, ax);
            a.Label(ref loop);
            a.call(routine);
            a.loop(loop);
            a.mov(si, 0x2000);
            a.mov(di, 0x2800);
            a.mov(cx, 16);
            a.rep.movsw();
            a.pusha();
            a.mov(bp, sp);
            a.mov(dx, __word_ptr[bp + 14]);
            a.popa();
            a.hlt();
            a.Label(ref routine);
            a.add(ax, cx);
            a.ret();
        }, bitness: 16);
        for (int i = 0; i < 32; i++)
            cpu.Memory[0x2000 + i] = (byte)(i * 3);
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(15);
        new Span<byte>(cpu.Memory + 0x2000, 32).SequenceEqual(new Span<byte>(cpu.Memory + 0x2800, 32)).Should().BeTrue();
        cpu.State->General[6].Should().Be(0x2020);
        cpu.State->General[4].Should().Be(0xF000);
    }

    [Fact]
    public void Real_mode_segments_move_code_and_data_and_limit_them()
    {
        using FlatProcessor cpu = new();
        cpu.Set16();
        cpu.State->Segments[SegmentIndex.Cs].Base = 0x10;
        cpu.State->Segments[SegmentIndex.Ds].Base = 0x8000;
        cpu.UpdateMode();
        cpu.Load(0x1010,
            0xA1, 0x04, 0x00, //       mov ax, [4]
            0xEB, 0x00, //             jmp $+2
            0x8B, 0x1E, 0xFF, 0xFF); // mov bx, [0xFFFF]: over the limit
        cpu.Load(0x8004, 0x34, 0x12);
        cpu.Execute().Should().Be(RunResult.Fault);
        cpu.State->Fault.Vector.Should().Be(ExceptionVector.GeneralProtection);
        cpu.State->General[0].Should().Be(0x1234);
        cpu.State->Rip.Should().Be(0x1005);
        cpu.State->InstructionsRetired.Should().Be(2);
    }

    [Fact]
    public void Instruction_pointer_beyond_the_code_limit_is_a_protection_fault()
    {
        using FlatProcessor cpu = new();
        cpu.Set16();
        cpu.State->Segments[SegmentIndex.Cs].Limit = 0x1003;
        cpu.UpdateMode();
        cpu.Load(FlatProcessor.Code, 0x40, 0x40, 0x40, 0xB8, 0x01, 0x00); // inc ax x3; mov ax, 1 ends beyond
        cpu.Execute().Should().Be(RunResult.Fault);
        cpu.State->Fault.Vector.Should().Be(ExceptionVector.GeneralProtection);
        cpu.State->Rip.Should().Be(0x1003);
        cpu.State->General[0].Should().Be(3);
    }

    [Fact]
    public void Flat_32_bit_code_wraps_addresses_and_keeps_upper_halves_clear()
    {
        using FlatProcessor cpu = new();
        cpu.Set32();
        cpu.Assemble(a =>
        {
            Label function = a.CreateLabel(), over = a.CreateLabel();
            a.mov(ebx, 0xFFFF_F000);
            a.mov(__dword_ptr[ebx + 0x9000], 77); // 0x8000 after the wrap
            a.call(function);
            a.pushad();
            a.popad();
            a.cmp(eax, 78);
            a.je(over);
            a.ud2();
            a.Label(ref over);
            a.push(0x1234);
            a.pop(ecx);
            a.hlt();
            a.Label(ref function);
            a.mov(eax, __dword_ptr[0x8000]);
            a.inc(eax);
            a.ret(0);
        }, bitness: 32);
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[0].Should().Be(78);
        cpu.State->General[1].Should().Be(0x1234);
        cpu.State->General[4].Should().Be(FlatProcessor.Stack);
    }

    [Fact]
    public void Jump_to_an_address_that_is_not_canonical_faults_at_the_jump()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.mov(rax, 0x8000_0000_0000);
            a.call(rax);
        });
        cpu.Execute().Should().Be(RunResult.Fault);
        cpu.State->Fault.Vector.Should().Be(ExceptionVector.GeneralProtection);
        cpu.State->Rip.Should().Be(FlatProcessor.Code + 10);
        cpu.State->General[4].Should().Be(FlatProcessor.Stack);
    }

    [Theory]
    [InlineData(new byte[] { 0xF7, 0xF1 }, 1UL, 0UL, 0UL)] // div ecx by 0
    [InlineData(new byte[] { 0xF7, 0xF1 }, 0UL, 5UL, 5UL)] // quotient too large
    [InlineData(new byte[] { 0xF7, 0xF9 }, 0x8000_0000UL, 0xFFFF_FFFFUL, 0xFFFF_FFFFUL)] // idiv: -2^31 / -1
    [InlineData(new byte[] { 0x48, 0xF7, 0xF9 }, 0x8000_0000_0000_0000UL, ulong.MaxValue, ulong.MaxValue)]
    [InlineData(new byte[] { 0x48, 0xF7, 0xF9 }, 0UL, 0x8000_0000_0000_0000UL, ulong.MaxValue)]
    public void Division_that_overflows_is_a_divide_error_and_changes_nothing(byte[] code, ulong rax, ulong rdx, ulong rcx)
    {
        using FlatProcessor cpu = new();
        cpu.Load(FlatProcessor.Code, code);
        cpu.State->General[0] = rax;
        cpu.State->General[2] = rdx;
        cpu.State->General[1] = rcx;
        cpu.Execute().Should().Be(RunResult.Fault);
        cpu.State->Fault.Vector.Should().Be(ExceptionVector.DivideError);
        cpu.State->Rip.Should().Be(FlatProcessor.Code);
        (cpu.State->General[0], cpu.State->General[2]).Should().Be((rax, rdx));
    }

    [Fact]
    public void Decimal_adjustments_agree_with_decimal_arithmetic()
    {
        using FlatProcessor cpu = new();
        cpu.Set32();
        for (int a = 0; a < 100; a++)
        {
            for (int b = 0; b < 100; b++)
            {
                ulong packed = (ulong)(((a / 10) << 4) | (a % 10)), other = (ulong)(((b / 10) << 4) | (b % 10));
                Run(cpu, packed, other, 0x00, 0xD8, 0x27); // add al, bl; daa
                int sum = a + b;
                ((byte)cpu.State->General[0]).Should().Be((byte)((((sum / 10) % 10) << 4) | (sum % 10)));
                LazyFlags.Carry(cpu.State).Should().Be(sum > 99 ? 1u : 0);
                Run(cpu, packed, other, 0x28, 0xD8, 0x2F); // sub al, bl; das
                int difference = (a - b + 100) % 100;
                ((byte)cpu.State->General[0]).Should().Be((byte)(((difference / 10) << 4) | (difference % 10)));
                LazyFlags.Carry(cpu.State).Should().Be(a < b ? 1u : 0);
            }
        }
        for (int value = 0; value < 100; value++)
        {
            Run(cpu, (ulong)value, 0, 0xD4, 0x0A); // aam
            ((ushort)cpu.State->General[0]).Should().Be((ushort)(((value / 10) << 8) | (value % 10)));
            Run(cpu, (ulong)(((value / 10) << 8) | (value % 10)), 0, 0xD5, 0x0A); // aad
            ((ushort)cpu.State->General[0]).Should().Be((ushort)value);
        }
        Run(cpu, 0x0109, 0x08, 0x00, 0xD8, 0x37); // 19 + 8 unpacked: add al, bl; aaa
        ((ushort)cpu.State->General[0]).Should().Be(0x0207);
        Run(cpu, 0x0203, 0x08, 0x28, 0xD8, 0x3F); // 23 - 8 unpacked: sub al, bl; aas
        ((ushort)cpu.State->General[0]).Should().Be(0x0105);
    }

    private static void Run(FlatProcessor cpu, ulong eax, ulong ebx, params byte[] code)
    {
        // Code of its own for each opcode, so that it is decoded once.
        ulong address = 0x2000 + (ulong)((code[^1] * 0x31) + (code[0] * 0x101)) % 0x1000;
        cpu.Load(address, [.. code, 0xF4]);
        cpu.CodeMap.Invalidate(address, 8);
        cpu.State->General[0] = eax;
        cpu.State->General[3] = ebx;
        LazyFlags.SetArithmetic(cpu.State, 0);
        cpu.State->Activity = Activity.Running;
        cpu.State->Rip = address;
        cpu.Execute().Should().Be(RunResult.Idle);
    }

    [Fact]
    public void Enter_and_leave_build_and_drop_nested_frames()
    {
        using FlatProcessor cpu = new();
        cpu.State->General[5] = 0x9000;
        *(ulong*)(cpu.Memory + 0x9000 - 8) = 0xAAAA;
        cpu.Assemble(a =>
        {
            a.enter(0x20, 2);
            a.mov(rax, rsp);
            a.mov(rbx, rbp);
            a.leave();
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->General[3].Should().Be(FlatProcessor.Stack - 8);
        cpu.State->General[0].Should().Be(FlatProcessor.Stack - 24 - 0x20);
        (*(ulong*)(cpu.Memory + FlatProcessor.Stack - 16)).Should().Be(0xAAAA);
        (*(ulong*)(cpu.Memory + FlatProcessor.Stack - 24)).Should().Be(FlatProcessor.Stack - 8);
        cpu.State->General[5].Should().Be(0x9000);
        cpu.State->General[4].Should().Be(FlatProcessor.Stack);
    }

    [Fact]
    public void Repeated_store_over_pages_leaves_exact_registers_when_it_meets_a_hole()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.mov(rdi, 0x1E004);
            a.mov(ecx, 0x2000);
            a.mov(eax, 0x5A);
            a.rep.stosb();
            a.hlt();
        });
        cpu.Execute().Should().Be(RunResult.Exit);
        cpu.Request.Kind.Should().Be(ExternalRequestKind.MmioWrite);
        cpu.Request.Address.Should().Be(0x20000);
        cpu.State->General[7].Should().Be(0x20000);
        cpu.State->General[1].Should().Be(4);
        new Span<byte>(cpu.Memory + 0x1E004, 0x1FFC).IndexOfAnyExcept((byte)0x5A).Should().Be(-1);
        for (int i = 0; i < 4; i++)
        {
            cpu.Answer();
            RunResult result = cpu.Execute();
            result.Should().Be(i == 3 ? RunResult.Idle : RunResult.Exit);
        }
        cpu.State->General[1].Should().Be(0);
        cpu.State->General[7].Should().Be(0x20004);
    }
}
