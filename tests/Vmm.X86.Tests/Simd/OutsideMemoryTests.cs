using Vmm.X86.Execution;
using Vmm.X86.Tests.Execution;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Simd;

/// <summary>Sixteen-byte accesses where there is no memory: two requests of eight bytes, low first, and the instruction once.</summary>
// SAFETY: the pointers are the processor's state block.
public sealed unsafe class OutsideMemoryTests
{
    private const ulong Device = 0x100_0000;

    [Fact]
    public void Load_asks_twice_and_commits_once()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.movdqa(xmm3, __[rbx]);
            a.hlt();
        });
        cpu.State->General[3] = Device;
        cpu.State->Vector[12] = 1;

        cpu.Execute().Should().Be(RunResult.Exit);
        cpu.Request.Kind.Should().Be(ExternalRequestKind.MmioRead);
        cpu.Request.Address.Should().Be(Device);
        cpu.Request.Size.Should().Be(8);
        cpu.State->Vector[12].Should().Be(1);
        cpu.Answer(0x1111_2222_3333_4444);
        cpu.Execute().Should().Be(RunResult.Exit);
        cpu.Request.Address.Should().Be(Device + 8);
        cpu.Answer(0x5555_6666_7777_8888);
        cpu.Execute().Should().Be(RunResult.Idle);

        cpu.State->Vector[12].Should().Be(0x1111_2222_3333_4444);
        cpu.State->Vector[13].Should().Be(0x5555_6666_7777_8888);
        cpu.State->InstructionsRetired.Should().Be(2);
    }

    [Fact]
    public void Store_asks_twice_with_the_register_low_half_first()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.movups(__[rbx], xmm3);
            a.hlt();
        });
        cpu.State->General[3] = Device + 4;
        cpu.State->Vector[12] = 0xA;
        cpu.State->Vector[13] = 0xB;

        cpu.Execute().Should().Be(RunResult.Exit);
        (cpu.Request.Kind, cpu.Request.Address, cpu.Request.Size, cpu.Request.Value).Should()
            .Be((ExternalRequestKind.MmioWrite, Device + 4, (byte)8, 0xAUL));
        cpu.Answer();
        cpu.Execute().Should().Be(RunResult.Exit);
        (cpu.Request.Address, cpu.Request.Size, cpu.Request.Value).Should().Be((Device + 12, (byte)8, 0xBUL));
        cpu.Answer();
        cpu.Execute().Should().Be(RunResult.Idle);
    }

    [Fact]
    public void Scalar_operation_with_a_device_operand_raises_its_flags_once()
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.divsd(xmm3, __qword_ptr[rbx]);
            a.hlt();
        });
        cpu.State->General[3] = Device;
        cpu.State->Mxcsr = 0x1F80;
        cpu.State->Vector[12] = BitConverter.DoubleToUInt64Bits(1);

        cpu.Execute().Should().Be(RunResult.Exit);
        cpu.State->Mxcsr.Should().Be(0x1F80);
        cpu.Answer(BitConverter.DoubleToUInt64Bits(3));
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->Vector[12].Should().Be(BitConverter.DoubleToUInt64Bits(1.0 / 3));
        cpu.State->Mxcsr.Should().Be(0x1FA0);
    }

    [Theory]
    [InlineData(0x5F80u, 0x3FD5_5555_5555_5556UL)] // up
    [InlineData(0x3F80u, 0x3FD5_5555_5555_5555UL)] // down
    public void Rounding_control_reaches_blocks(uint mxcsr, ulong third)
    {
        using FlatProcessor cpu = new();
        cpu.Assemble(a =>
        {
            a.mov(eax, 1);
            a.cvtsi2sd(xmm0, eax);
            a.mov(eax, 3);
            a.cvtsi2sd(xmm1, eax);
            a.mov(__dword_ptr[rbx], (int)mxcsr);
            a.ldmxcsr(__dword_ptr[rbx]);
            a.divsd(xmm0, xmm1);
            a.stmxcsr(__dword_ptr[rbx]);
            a.hlt();
        });
        cpu.State->General[3] = FlatProcessor.Data;
        cpu.State->Mxcsr = 0x1FA0;
        cpu.Execute().Should().Be(RunResult.Idle);
        cpu.State->Vector[0].Should().Be(third);
        (*(uint*)(cpu.Memory + FlatProcessor.Data)).Should().Be(mxcsr | 0x20);
    }
}
