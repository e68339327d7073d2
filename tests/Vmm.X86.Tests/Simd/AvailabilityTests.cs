using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.X86.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Simd;

/// <summary>Faults that come before any computation: SDM Vol. 2A 2.4 and 2.5, Vol. 3A 12.1 and 13.1.</summary>
// SAFETY: the pointers are the processor's state block and memory owned by the test.
public sealed unsafe class AvailabilityTests : IDisposable
{
    private readonly IdentityProcessor _processor = new();
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(8192, 4096);

    public void Dispose()
    {
        _processor.Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    [Theory]
    [InlineData(Cr0Bits.TaskSwitched, true, 7)]
    [InlineData(Cr0Bits.Emulation, true, 6)]
    [InlineData(Cr0Bits.Emulation | Cr0Bits.TaskSwitched, true, 6)]
    [InlineData(Cr0Bits.TaskSwitched, false, 6)]
    [InlineData(0UL, false, 6)]
    public void Sse_instruction_faults_when_it_is_not_enabled(ulong cr0, bool osFxsr, int vector)
    {
        _processor.S->Cr0 |= cr0;
        if (!osFxsr)
            _processor.S->Cr4 &= ~Cr4Bits.OsFxsr;
        _processor.UpdateMode();
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.paddb(xmm1, xmm2), a => a.movups(xmm1, __[rbx]),
            a => a.addsd(xmm1, xmm2), a => a.psllw(xmm1, 3), a => a.stmxcsr(__dword_ptr[rbx]), a => a.cvtps2pi(mm1, xmm2),
            a => a.movq2dq(xmm1, mm1) })
        {
            _processor.Run(instruction).Should().Be(Outcome.Fault);
            _processor.S->Fault.Vector.Should().Be((byte)vector);
        }
    }

    [Theory]
    [InlineData(Cr0Bits.TaskSwitched, 7)]
    [InlineData(Cr0Bits.Emulation, 6)]
    [InlineData(0UL, 16)]
    public void Mmx_instruction_faults_when_it_is_not_enabled_or_an_x87_exception_waits(ulong cr0, int vector)
    {
        _processor.S->Cr0 |= cr0;
        _processor.S->FpuControl = 0x37E;
        _processor.S->FpuStatus = 0x8081;
        _processor.S->FpuTags = 0x11;
        _processor.UpdateMode();
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.paddb(mm1, mm2), a => a.movq(mm1, __qword_ptr[rbx]),
            a => a.psllw(mm1, 3), a => a.pmovmskb(eax, mm1) })
        {
            _processor.Run(instruction).Should().Be(Outcome.Fault);
            _processor.S->Fault.Vector.Should().Be((byte)vector);
            _processor.S->FpuTags.Should().Be(0x11);
        }
    }

    [Fact]
    public void Mmx_instruction_needs_no_osfxsr()
    {
        _processor.S->Cr4 &= ~Cr4Bits.OsFxsr;
        _processor.UpdateMode();
        _processor.Run(a => a.pavgb(mm1, mm2)).Should().Be(Outcome.Next);
    }

    [Fact]
    public void General_register_instructions_of_sse_run_whatever_the_state_of_the_unit()
    {
        _processor.S->Cr0 |= Cr0Bits.TaskSwitched;
        _processor.UpdateMode();
        _processor.S->General[3] = (ulong)_memory;
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.movnti(__[rbx], eax),
            a => a.crc32(eax, ecx), a => a.mfence(), a => a.lfence(), a => a.sfence(), a => a.prefetcht0(__byte_ptr[0x1234]) })
            _processor.Run(instruction).Should().Be(Outcome.Next);
    }

    [Fact]
    public void Misaligned_memory_operand_is_a_general_protection_fault_unless_the_instruction_allows_it()
    {
        _processor.S->General[3] = (ulong)_memory + 8;
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.paddb(xmm1, __[rbx]), a => a.movaps(xmm1, __[rbx]),
            a => a.movdqa(__[rbx], xmm1), a => a.movntps(__[rbx], xmm1), a => a.addps(xmm1, __[rbx]), a => a.pshufd(xmm1, __[rbx], 0) })
        {
            _processor.Run(instruction).Should().Be(Outcome.Fault);
            _processor.S->Fault.Vector.Should().Be(13);
            _processor.S->Fault.ErrorCode.Should().Be(0);
        }
        foreach (Action<Assembler> instruction in new Action<Assembler>[] { a => a.movups(xmm1, __[rbx]), a => a.movdqu(__[rbx], xmm1),
            a => a.lddqu(xmm1, __[rbx]), a => a.pcmpistri(xmm1, __[rbx], 0), a => a.addsd(xmm1, __qword_ptr[rbx]) })
            _processor.Run(instruction).Should().Be(Outcome.Next);
    }

    [Fact]
    public void Unaligned_move_across_pages_takes_both_halves()
    {
        for (int i = 0; i < 16; i++)
            _memory[4096 - 5 + i] = (byte)(0x10 + i);
        _processor.S->General[3] = (ulong)_memory + 4096 - 5;
        _processor.Run(a => a.movups(xmm1, __[rbx])).Should().Be(Outcome.Next);
        _processor.S->Vector[4].Should().Be(0x1716_1514_1312_1110);
        _processor.S->Vector[5].Should().Be(0x1F1E_1D1C_1B1A_1918);
        _processor.S->General[3] += 1;
        _processor.Run(a => a.movups(__[rbx], xmm1)).Should().Be(Outcome.Next);
        new Span<byte>(_memory + 4096 - 4, 16).ToArray().Should().Equal(Enumerable.Range(0x10, 16).Select(i => (byte)i));
    }

    [Fact]
    public void Reserved_mxcsr_bits_are_refused()
    {
        _processor.S->General[3] = (ulong)_memory;
        *(uint*)_memory = 0x1_1F80;
        uint before = _processor.S->Mxcsr;
        _processor.Run(a => a.ldmxcsr(__dword_ptr[rbx])).Should().Be(Outcome.Fault);
        _processor.S->Fault.Vector.Should().Be(13);
        _processor.S->Mxcsr.Should().Be(before);
    }
}
