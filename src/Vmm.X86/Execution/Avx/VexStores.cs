using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Moves of whole vector registers to memory or to a register, and the instructions that clear registers.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class VexStores
{
    public static void Register(InstructionTable table)
    {
        foreach (Code code in new[] { Code.VEX_Vmovups_xmmm128_xmm, Code.VEX_Vmovupd_xmmm128_xmm, Code.VEX_Vmovdqu_xmmm128_xmm })
        {
            table.Set(code, &Store<Vector128<byte>>);
            table.Set(code + 1, &Store<Vector256<byte>>);
        }
        foreach (Code code in new[] { Code.VEX_Vmovaps_xmmm128_xmm, Code.VEX_Vmovapd_xmmm128_xmm, Code.VEX_Vmovdqa_xmmm128_xmm,
            Code.VEX_Vmovntps_m128_xmm, Code.VEX_Vmovntpd_m128_xmm, Code.VEX_Vmovntdq_m128_xmm })
        {
            table.Set(code, &StoreAligned<Vector128<byte>>);
            table.Set(code + 1, &StoreAligned<Vector256<byte>>);
        }
        table.Set(Code.VEX_Vextractf128_xmmm128_ymm_imm8, &Extract);
        table.Set(Code.VEX_Vextracti128_xmmm128_ymm_imm8, &Extract);
        table.Set(Code.VEX_Vmovq_xmmm64_xmm, &StoreQuadword);
        table.Set(Code.VEX_Vzeroupper, &ZeroUpper);
        table.Set(Code.VEX_Vzeroall, &ZeroAll);
    }

    private static Outcome Store<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged => Store<T>(cpu, s, i, false);

    private static Outcome StoreAligned<T>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where T : unmanaged => Store<T>(cpu, s, i, true);

    private static Outcome Store<T>(ProcessorCore cpu, VcpuState* s, Instruction* i, bool aligned)
        where T : unmanaged => VexOperands.Available(cpu, s)
            ? Put<T>(cpu, s, i, VexOperands.Slot(s, i->Op1Register), aligned)
            : cpu.Stopped;

    private static Outcome Put<T>(ProcessorCore cpu, VcpuState* s, Instruction* i, byte* source, bool aligned)
        where T : unmanaged
    {
        if (i->Op0Kind == OpKind.Register)
        {
            Vector256<byte> value = default;
            *(T*)&value = *(T*)source;
            *(Vector256<byte>*)VexOperands.Slot(s, i->Op0Register) = value;
            return Outcome.Next;
        }
        if (!Operands.Linear(cpu, i, sizeof(T), true, out ulong linear))
            return cpu.Stopped;
        if (aligned && (linear & (ulong)(sizeof(T) - 1)) != 0)
            return cpu.RaiseGeneralProtection();
        return cpu.Write(linear, *(T*)source) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome StoreQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i) => Store<ulong>(cpu, s, i, false);

    private static Outcome Extract(ProcessorCore cpu, VcpuState* s, Instruction* i) => VexOperands.Available(cpu, s)
        ? Put<Vector128<byte>>(cpu, s, i, VexOperands.Slot(s, i->Op1Register) + ((i->Immediate8 & 1) * 16), false)
        : cpu.Stopped;

    // Both touch only the registers that the mode has.
    private static Outcome ZeroUpper(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        for (int register = 0; register < FxsaveInstructions.VectorCount(cpu); register++)
            ((Vector128<ulong>*)&s->Vector[0])[(2 * register) + 1] = default;
        return Outcome.Next;
    }

    private static Outcome ZeroAll(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        for (int register = 0; register < FxsaveInstructions.VectorCount(cpu); register++)
            ((Vector256<ulong>*)&s->Vector[0])[register] = default;
        return Outcome.Next;
    }
}
