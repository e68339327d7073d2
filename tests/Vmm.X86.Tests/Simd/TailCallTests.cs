using Iced.Intel;
using Vmm.X86.Execution;
using Vmm.X86.Tests.Vex;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.X86.Tests.Simd;

/// <summary>Loops over every SSE and AVX encoding on a small stack: a handler that kept a frame would overflow it.</summary>
// SAFETY: the pointers are the processor's state block and its memory.
public sealed unsafe class TailCallTests
{
    private const int Copies = 24, Iterations = 900;
    private const uint Usual = 0x1FA0;

    [Theory]
    [InlineData(Usual)] // the ordinary case
    [InlineData(0x5F80u)] // rounding up: never the host's arithmetic
    public void Handlers_keep_no_stack(uint mxcsr)
    {
        int forms = SmallStack.Run(256 << 10, () => RunAll(mxcsr));
        forms.Should().BeGreaterThan(1100);
    }

    private static int RunAll(uint mxcsr)
    {
        int forms = 0;
        Random random = new(1);
        using IdentityProcessor cpu = IdentityProcessor.WithAvx();
        foreach (Code code in SimdEncodings.All)
        {
            if (code.Mnemonic() is Mnemonic.Ldmxcsr or Mnemonic.Maskmovdqu or Mnemonic.Maskmovq
                || code.ToOpCode().GetOpKind(0).ToString()[0] == 'm')
                continue;
            foreach (Instruction form in SimdEncodings.Forms(code, random).Take(3).DistinctBy(f => f.Op1Kind))
            {
                forms++;
                RunOne(cpu, form, mxcsr);
            }
        }
        foreach (Code code in VexEncodings.All)
        {
            if (code.Mnemonic() is Mnemonic.Vldmxcsr or Mnemonic.Vmaskmovdqu || VexEncodings.IsGather(code)
                || (mxcsr != Usual && !VexEncodings.IsFloat(code)))
                continue;
            foreach (Instruction form in VexEncodings.Forms(code, random).Take(3).DistinctBy(f => (f.Op0Kind, f.MemoryBase)))
            {
                forms++;
                RunOne(cpu, form, mxcsr);
            }
        }
        return forms;
    }

    private static void RunOne(IdentityProcessor cpu, Instruction form, uint mxcsr)
    {
        cpu.Load(a =>
        {
            Iced.Intel.Label loop = a.CreateLabel();
            a.mov(esi, Iterations);
            a.Label(ref loop);
            for (int i = 0; i < Copies; i++)
                a.AddInstruction(form);
            a.dec(esi);
            a.jnz(loop);
            a.hlt();
        });
        cpu.State->Activity = Activity.Running;
        cpu.State->FpuStatus = 0;
        ulong retired = cpu.State->InstructionsRetired;
        cpu.State->General[3] = (ulong)cpu.Data;
        cpu.State->Mxcsr = mxcsr;
        for (int i = 0; i < 64; i++)
            cpu.State->Vector[i] = BitConverter.DoubleToUInt64Bits(1.0 + (i / 64.0));
        for (int i = 0; i < 8; i++)
            ((double*)cpu.Data)[i] = 1.25;
        cpu.Execute().Should().Be(RunResult.Idle, form.ToString());
        (cpu.State->InstructionsRetired - retired).Should().Be(2 + (Iterations * (Copies + 2)));
    }
}
