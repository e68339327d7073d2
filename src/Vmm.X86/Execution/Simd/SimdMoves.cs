using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Moves between XMM registers and memory, whole and in parts.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class SimdMoves
{
    public static void Register(InstructionTable table)
    {
        foreach (Code code in new[] { Code.Movaps_xmm_xmmm128, Code.Movapd_xmm_xmmm128, Code.Movdqa_xmm_xmmm128, Code.Movntdqa_xmm_m128 })
            table.Set(code, &LoadAligned);
        foreach (Code code in new[] { Code.Movups_xmm_xmmm128, Code.Movupd_xmm_xmmm128, Code.Movdqu_xmm_xmmm128, Code.Lddqu_xmm_m128 })
            table.Set(code, &LoadUnaligned);
        foreach (Code code in new[] { Code.Movaps_xmmm128_xmm, Code.Movapd_xmmm128_xmm, Code.Movdqa_xmmm128_xmm,
            Code.Movntps_m128_xmm, Code.Movntpd_m128_xmm, Code.Movntdq_m128_xmm })
            table.Set(code, &StoreAligned);
        foreach (Code code in new[] { Code.Movups_xmmm128_xmm, Code.Movupd_xmmm128_xmm, Code.Movdqu_xmmm128_xmm })
            table.Set(code, &StoreUnaligned);
        RegisterScalars(table);
        RegisterHalves(table);
    }

    private static void RegisterScalars(InstructionTable table)
    {
        table.Set(Code.Movss_xmm_xmmm32, &LoadSingle);
        table.Set(Code.Movss_xmmm32_xmm, &StoreSingle);
        table.Set(Code.Movsd_xmm_xmmm64, &LoadDouble);
        table.Set(Code.Movsd_xmmm64_xmm, &StoreDouble);
        table.Set(Code.Movq_xmm_xmmm64, &LoadQuadword);
        table.Set(Code.Movq_xmmm64_xmm, &StoreQuadword);
        table.Set(Code.Movd_xmm_rm32, &MoveFromGeneral32);
        table.Set(Code.Movq_xmm_rm64, &MoveFromGeneral64);
        table.Set(Code.Movd_rm32_xmm, &MoveToGeneral32);
        table.Set(Code.Movq_rm64_xmm, &MoveToGeneral64);
        table.Set(Code.Movnti_m32_r32, &Movnti32);
        table.Set(Code.Movnti_m64_r64, &Movnti64);
    }

    private static void RegisterHalves(InstructionTable table)
    {
        table.Set(Code.Movlps_xmm_m64, &LoadLow);
        table.Set(Code.Movlpd_xmm_m64, &LoadLow);
        table.Set(Code.Movhps_xmm_m64, &LoadHigh);
        table.Set(Code.Movhpd_xmm_m64, &LoadHigh);
        table.Set(Code.Movlps_m64_xmm, &StoreLow);
        table.Set(Code.Movlpd_m64_xmm, &StoreLow);
        table.Set(Code.Movhps_m64_xmm, &StoreHigh);
        table.Set(Code.Movhpd_m64_xmm, &StoreHigh);
        table.Set(Code.Movhlps_xmm_xmm, &Movhlps);
        table.Set(Code.Movlhps_xmm_xmm, &Movlhps);
        table.Set(Code.Movddup_xmm_xmmm64, &Movddup);
    }

    private static Outcome LoadAligned(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> value))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = value;
        return Outcome.Next;
    }

    private static Outcome LoadUnaligned(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.UnalignedSource(cpu, s, i, 1, out Vector128<byte> value))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = value;
        return Outcome.Next;
    }

    private static Outcome StoreAligned(ProcessorCore cpu, VcpuState* s, Instruction* i) => Store(cpu, s, i, true);

    private static Outcome StoreUnaligned(ProcessorCore cpu, VcpuState* s, Instruction* i) => Store(cpu, s, i, false);

    private static Outcome Store(ProcessorCore cpu, VcpuState* s, Instruction* i, bool aligned)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        Vector128<byte> value = *SimdOperands.Xmm(s, i->Op1Register);
        if (i->Op0Kind == OpKind.Register)
        {
            *SimdOperands.Xmm(s, i->Op0Register) = value;
            return Outcome.Next;
        }
        return SimdOperands.Address(cpu, i, true, aligned, out ulong linear) && cpu.Write(linear, value) ? Outcome.Next : cpu.Stopped;
    }

    // MOVSS and MOVSD: from memory they clear the rest of the register, from a register they keep it.
    private static Outcome LoadSingle(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 4, out ulong value))
            return cpu.Stopped;
        if (i->Op1Kind == OpKind.Register)
            *(uint*)SimdOperands.Xmm(s, i->Op0Register) = (uint)value;
        else
            *SimdOperands.Xmm(s, i->Op0Register) = Vector128.CreateScalar(value).AsByte();
        return Outcome.Next;
    }

    private static Outcome LoadDouble(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        ulong* d = SimdOperands.Low(s, i->Op0Register);
        d[0] = value;
        if (i->Op1Kind != OpKind.Register)
            d[1] = 0;
        return Outcome.Next;
    }

    private static Outcome StoreSingle(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        uint value = *(uint*)SimdOperands.Xmm(s, i->Op1Register);
        if (i->Op0Kind == OpKind.Register)
        {
            *(uint*)SimdOperands.Xmm(s, i->Op0Register) = value;
            return Outcome.Next;
        }
        return Operands.Linear(cpu, i, 4, true, out ulong linear) && cpu.Write(linear, value) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome StoreDouble(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        ulong value = *SimdOperands.Low(s, i->Op1Register);
        if (i->Op0Kind == OpKind.Register)
        {
            *SimdOperands.Low(s, i->Op0Register) = value;
            return Outcome.Next;
        }
        return WriteQuadword(cpu, i, value);
    }

    private static Outcome LoadQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = Vector128.CreateScalar(value).AsByte();
        return Outcome.Next;
    }

    private static Outcome StoreQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        ulong value = *SimdOperands.Low(s, i->Op1Register);
        if (i->Op0Kind == OpKind.Register)
        {
            *SimdOperands.Xmm(s, i->Op0Register) = Vector128.CreateScalar(value).AsByte();
            return Outcome.Next;
        }
        return WriteQuadword(cpu, i, value);
    }

    private static Outcome WriteQuadword(ProcessorCore cpu, Instruction* i, ulong value) =>
        Operands.Linear(cpu, i, 8, true, out ulong linear) && cpu.Write(linear, value) ? Outcome.Next : cpu.Stopped;

    private static Outcome MoveFromGeneral32(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveFromGeneral(cpu, s, i, 4);

    private static Outcome MoveFromGeneral64(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveFromGeneral(cpu, s, i, 8);

    private static Outcome MoveFromGeneral(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = Vector128.CreateScalar(value).AsByte();
        return Outcome.Next;
    }

    private static Outcome MoveToGeneral32(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveToGeneral(cpu, s, i, 4);

    private static Outcome MoveToGeneral64(ProcessorCore cpu, VcpuState* s, Instruction* i) => MoveToGeneral(cpu, s, i, 8);

    private static Outcome MoveToGeneral(ProcessorCore cpu, VcpuState* s, Instruction* i, int size) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, size, *SimdOperands.Low(s, i->Op1Register))
            ? Outcome.Next
            : cpu.Stopped;

    // MOVNTI touches no SSE state and is not subject to its availability.
    private static Outcome Movnti32(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Write(cpu, i, 0, 4, Operands.Get(s, i->Op1Register)) ? Outcome.Next : cpu.Stopped;

    private static Outcome Movnti64(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Write(cpu, i, 0, 8, Operands.Get(s, i->Op1Register)) ? Outcome.Next : cpu.Stopped;

    private static Outcome LoadLow(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        *SimdOperands.Low(s, i->Op0Register) = value;
        return Outcome.Next;
    }

    private static Outcome LoadHigh(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        SimdOperands.Low(s, i->Op0Register)[1] = value;
        return Outcome.Next;
    }

    private static Outcome StoreLow(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) ? WriteQuadword(cpu, i, *SimdOperands.Low(s, i->Op1Register)) : cpu.Stopped;

    private static Outcome StoreHigh(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) ? WriteQuadword(cpu, i, SimdOperands.Low(s, i->Op1Register)[1]) : cpu.Stopped;

    private static Outcome Movhlps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        *SimdOperands.Low(s, i->Op0Register) = SimdOperands.Low(s, i->Op1Register)[1];
        return Outcome.Next;
    }

    private static Outcome Movlhps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        SimdOperands.Low(s, i->Op0Register)[1] = *SimdOperands.Low(s, i->Op1Register);
        return Outcome.Next;
    }

    private static Outcome Movddup(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong value))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = Vector128.Create(value).AsByte();
        return Outcome.Next;
    }
}
