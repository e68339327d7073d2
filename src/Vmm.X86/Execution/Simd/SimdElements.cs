using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Masks and single elements between XMM and general registers or memory: MOVMSK, PEXTR, PINSR, EXTRACTPS, INSERTPS.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; element indices are masked.
internal static unsafe class SimdElements
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Movmskps, &Movmskps);
        table.Set(Mnemonic.Movmskpd, &Movmskpd);
        table.Set(Code.Pmovmskb_r32_xmm, &Pmovmskb);
        table.Set(Code.Pmovmskb_r64_xmm, &Pmovmskb);
        table.Set(Code.Pextrw_r32_xmm_imm8, &ExtractWord);
        table.Set(Code.Pextrw_r64_xmm_imm8, &ExtractWord);
        table.Set(Code.Pextrw_r32m16_xmm_imm8, &ExtractWord);
        table.Set(Code.Pextrw_r64m16_xmm_imm8, &ExtractWord);
        table.Set(Mnemonic.Pextrb, &ExtractByte);
        table.Set(Mnemonic.Pextrd, &ExtractDoubleword);
        table.Set(Mnemonic.Extractps, &ExtractDoubleword);
        table.Set(Mnemonic.Pextrq, &ExtractQuadword);
        table.Set(Code.Pinsrw_xmm_r32m16_imm8, &InsertWord);
        table.Set(Code.Pinsrw_xmm_r64m16_imm8, &InsertWord);
        table.Set(Mnemonic.Pinsrb, &InsertByte);
        table.Set(Mnemonic.Pinsrd, &InsertDoubleword);
        table.Set(Mnemonic.Pinsrq, &InsertQuadword);
        table.Set(Mnemonic.Insertps, &Insertps);
    }

    private static Outcome Movmskps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, SimdOperands.Xmm(s, i->Op1Register)->AsUInt32().ExtractMostSignificantBits());
        return Outcome.Next;
    }

    private static Outcome Movmskpd(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, SimdOperands.Xmm(s, i->Op1Register)->AsUInt64().ExtractMostSignificantBits());
        return Outcome.Next;
    }

    private static Outcome Pmovmskb(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, SimdOperands.Xmm(s, i->Op1Register)->ExtractMostSignificantBits());
        return Outcome.Next;
    }

    private static Outcome ExtractByte(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, 1, ((byte*)SimdOperands.Xmm(s, i->Op1Register))[i->Immediate8 & 15])
            ? Outcome.Next
            : cpu.Stopped;

    private static Outcome ExtractWord(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, 2, ((ushort*)SimdOperands.Xmm(s, i->Op1Register))[i->Immediate8 & 7])
            ? Outcome.Next
            : cpu.Stopped;

    private static Outcome ExtractDoubleword(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, 4, ((uint*)SimdOperands.Xmm(s, i->Op1Register))[i->Immediate8 & 3])
            ? Outcome.Next
            : cpu.Stopped;

    private static Outcome ExtractQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, 8, SimdOperands.Low(s, i->Op1Register)[i->Immediate8 & 1])
            ? Outcome.Next
            : cpu.Stopped;

    private static Outcome InsertByte(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, 1, out ulong value))
            return cpu.Stopped;
        ((byte*)SimdOperands.Xmm(s, i->Op0Register))[i->Immediate8 & 15] = (byte)value;
        return Outcome.Next;
    }

    private static Outcome InsertWord(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, 2, out ulong value))
            return cpu.Stopped;
        ((ushort*)SimdOperands.Xmm(s, i->Op0Register))[i->Immediate8 & 7] = (ushort)value;
        return Outcome.Next;
    }

    private static Outcome InsertDoubleword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, 4, out ulong value))
            return cpu.Stopped;
        ((uint*)SimdOperands.Xmm(s, i->Op0Register))[i->Immediate8 & 3] = (uint)value;
        return Outcome.Next;
    }

    private static Outcome InsertQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, 8, out ulong value))
            return cpu.Stopped;
        SimdOperands.Low(s, i->Op0Register)[i->Immediate8 & 1] = value;
        return Outcome.Next;
    }

    private static Outcome Insertps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 4, out ulong value))
            return cpu.Stopped;
        byte immediate = i->Immediate8;
        if (i->Op1Kind == OpKind.Register)
            value = ((uint*)SimdOperands.Xmm(s, i->Op1Register))[immediate >> 6];
        uint* d = (uint*)SimdOperands.Xmm(s, i->Op0Register);
        d[(immediate >> 4) & 3] = (uint)value;
        for (int lane = 0; lane < 4; lane++)
        {
            if ((immediate & (1 << lane)) != 0)
                d[lane] = 0;
        }
        return Outcome.Next;
    }
}
