using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>MMX moves, single elements, masks and the masked store.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; element indices are masked.
internal static unsafe class MmxInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Movd_mm_rm32, &MoveFromGeneral32);
        table.Set(Code.Movq_mm_rm64, &MoveFromGeneral64);
        table.Set(Code.Movd_rm32_mm, &MoveToGeneral32);
        table.Set(Code.Movq_rm64_mm, &MoveToGeneral64);
        table.Set(Code.Movq_mm_mmm64, &Load);
        table.Set(Code.Movq_mmm64_mm, &Store);
        table.Set(Code.Movntq_m64_mm, &Store);
        table.Set(Code.Movq2dq_xmm_mm, &Movq2dq);
        table.Set(Code.Movdq2q_mm_xmm, &Movdq2q);
        table.Set(Code.Pmovmskb_r32_mm, &Pmovmskb);
        table.Set(Code.Pmovmskb_r64_mm, &Pmovmskb);
        table.Set(Code.Pextrw_r32_mm_imm8, &Pextrw);
        table.Set(Code.Pextrw_r64_mm_imm8, &Pextrw);
        table.Set(Code.Pinsrw_mm_r32m16_imm8, &Pinsrw);
        table.Set(Code.Pinsrw_mm_r64m16_imm8, &Pinsrw);
        table.Set(Code.Maskmovq_rDI_mm_mm, &Maskmovq);
    }

    private static Outcome MoveFromGeneral32(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveFromGeneral(cpu, s, i, 4);

    private static Outcome MoveFromGeneral64(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveFromGeneral(cpu, s, i, 8);

    private static Outcome MoveFromGeneral(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
    {
        if (!MmxOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    private static Outcome MoveToGeneral32(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveToGeneral(cpu, s, i, 4);

    private static Outcome MoveToGeneral64(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveToGeneral(cpu, s, i, 8);

    private static Outcome MoveToGeneral(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
    {
        if (!MmxOperands.Available(cpu, s) || !Operands.Write(cpu, i, 0, size, *MmxOperands.Mm(s, i->Op1Register)))
            return cpu.Stopped;
        MmxOperands.Enter(s);
        return Outcome.Next;
    }

    private static Outcome Load(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s) || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    private static Outcome Store(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s))
            return cpu.Stopped;
        ulong value = *MmxOperands.Mm(s, i->Op1Register);
        if (i->Op0Kind == OpKind.Register)
        {
            MmxOperands.Set(s, i->Op0Register, value);
            return Outcome.Next;
        }
        if (!Operands.Linear(cpu, i, 8, true, out ulong linear) || !cpu.Write(linear, value))
            return cpu.Stopped;
        MmxOperands.Enter(s);
        return Outcome.Next;
    }

    private static Outcome Movq2dq(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.AvailableWithSse(cpu, s))
            return cpu.Stopped;
        MmxOperands.Enter(s);
        *SimdOperands.Xmm(s, i->Op0Register) = Vector128.CreateScalar(*MmxOperands.Mm(s, i->Op1Register)).AsByte();
        return Outcome.Next;
    }

    private static Outcome Movdq2q(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.AvailableWithSse(cpu, s))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, *SimdOperands.Low(s, i->Op1Register));
        return Outcome.Next;
    }

    private static Outcome Pmovmskb(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s))
            return cpu.Stopped;
        MmxOperands.Enter(s);
        Operands.Set(s, i->Op0Register, Vector128.CreateScalar(*MmxOperands.Mm(s, i->Op1Register)).AsByte().ExtractMostSignificantBits());
        return Outcome.Next;
    }

    private static Outcome Pextrw(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s))
            return cpu.Stopped;
        MmxOperands.Enter(s);
        Operands.Set(s, i->Op0Register, ((ushort*)MmxOperands.Mm(s, i->Op1Register))[i->Immediate8 & 3]);
        return Outcome.Next;
    }

    private static Outcome Pinsrw(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, 2, out ulong word))
            return cpu.Stopped;
        ulong value = *MmxOperands.Mm(s, i->Op0Register);
        ((ushort*)&value)[i->Immediate8 & 3] = (ushort)word;
        MmxOperands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    private static Outcome Maskmovq(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!MmxOperands.Available(cpu, s))
            return cpu.Stopped;
        uint mask = Vector128.CreateScalar(*MmxOperands.Mm(s, i->GetOpRegister(2))).AsByte().ExtractMostSignificantBits();
        Outcome outcome = SimdControl.StoreMasked(cpu, s, i, (byte*)MmxOperands.Mm(s, i->GetOpRegister(1)), mask, 8);
        if (outcome == Outcome.Next)
            MmxOperands.Enter(s);
        return outcome;
    }
}
