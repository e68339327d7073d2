using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>VEX.128 instructions that do what their SSE namesakes do, the destination's upper half not being touched or there being none:
/// the same handlers behind the conditions of AVX.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; the array holds addresses of static methods.
internal static unsafe class VexShared
{
    private static readonly delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>[] s_handlers =
        new delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>[Enum.GetValues<Code>().Length];

    public static void Register(InstructionTable table)
    {
        Share(table, Code.Movss_xmmm32_xmm, Code.VEX_Vmovss_m32_xmm);
        Share(table, Code.Movsd_xmmm64_xmm, Code.VEX_Vmovsd_m64_xmm);
        Share(table, Code.Movlps_m64_xmm, Code.VEX_Vmovlps_m64_xmm, Code.VEX_Vmovlpd_m64_xmm);
        Share(table, Code.Movhps_m64_xmm, Code.VEX_Vmovhps_m64_xmm, Code.VEX_Vmovhpd_m64_xmm);
        Share(table, Code.Movd_rm32_xmm, Code.VEX_Vmovd_rm32_xmm);
        Share(table, Code.Movq_rm64_xmm, Code.VEX_Vmovq_rm64_xmm);
        Share(table, Code.Movmskps_r32_xmm, Code.VEX_Vmovmskps_r32_xmm, Code.VEX_Vmovmskps_r64_xmm);
        Share(table, Code.Movmskpd_r32_xmm, Code.VEX_Vmovmskpd_r32_xmm, Code.VEX_Vmovmskpd_r64_xmm);
        Share(table, Code.Pmovmskb_r32_xmm, Code.VEX_Vpmovmskb_r32_xmm, Code.VEX_Vpmovmskb_r64_xmm);
        Share(table, Code.Pextrb_r32m8_xmm_imm8, Code.VEX_Vpextrb_r32m8_xmm_imm8, Code.VEX_Vpextrb_r64m8_xmm_imm8);
        Share(table, Code.Pextrw_r32_xmm_imm8, Code.VEX_Vpextrw_r32_xmm_imm8, Code.VEX_Vpextrw_r64_xmm_imm8,
            Code.VEX_Vpextrw_r32m16_xmm_imm8, Code.VEX_Vpextrw_r64m16_xmm_imm8);
        Share(table, Code.Pextrd_rm32_xmm_imm8, Code.VEX_Vpextrd_rm32_xmm_imm8);
        Share(table, Code.Pextrq_rm64_xmm_imm8, Code.VEX_Vpextrq_rm64_xmm_imm8);
        Share(table, Code.Extractps_rm32_xmm_imm8, Code.VEX_Vextractps_rm32_xmm_imm8, Code.VEX_Vextractps_r64m32_xmm_imm8);
        Share(table, Code.Ucomiss_xmm_xmmm32, Code.VEX_Vucomiss_xmm_xmmm32);
        Share(table, Code.Ucomisd_xmm_xmmm64, Code.VEX_Vucomisd_xmm_xmmm64);
        Share(table, Code.Comiss_xmm_xmmm32, Code.VEX_Vcomiss_xmm_xmmm32);
        Share(table, Code.Comisd_xmm_xmmm64, Code.VEX_Vcomisd_xmm_xmmm64);
        Share(table, Code.Cvtss2si_r32_xmmm32, Code.VEX_Vcvtss2si_r32_xmmm32, Code.VEX_Vcvtss2si_r64_xmmm32);
        Share(table, Code.Cvtsd2si_r32_xmmm64, Code.VEX_Vcvtsd2si_r32_xmmm64, Code.VEX_Vcvtsd2si_r64_xmmm64);
        Share(table, Code.Cvttss2si_r32_xmmm32, Code.VEX_Vcvttss2si_r32_xmmm32, Code.VEX_Vcvttss2si_r64_xmmm32);
        Share(table, Code.Cvttsd2si_r32_xmmm64, Code.VEX_Vcvttsd2si_r32_xmmm64, Code.VEX_Vcvttsd2si_r64_xmmm64);
        Share(table, Code.Pcmpestri_xmm_xmmm128_imm8, Code.VEX_Vpcmpestri_xmm_xmmm128_imm8);
        Share(table, Code.Pcmpestri64_xmm_xmmm128_imm8, Code.VEX_Vpcmpestri64_xmm_xmmm128_imm8);
        Share(table, Code.Pcmpistri_xmm_xmmm128_imm8, Code.VEX_Vpcmpistri_xmm_xmmm128_imm8);
        Share(table, Code.Maskmovdqu_rDI_xmm_xmm, Code.VEX_Vmaskmovdqu_rDI_xmm_xmm);
        Share(table, Code.Ldmxcsr_m32, Code.VEX_Vldmxcsr_m32);
        Share(table, Code.Stmxcsr_m32, Code.VEX_Vstmxcsr_m32);
        ShareMask(table, Code.Pcmpestrm_xmm_xmmm128_imm8, Code.VEX_Vpcmpestrm_xmm_xmmm128_imm8);
        ShareMask(table, Code.Pcmpestrm64_xmm_xmmm128_imm8, Code.VEX_Vpcmpestrm64_xmm_xmmm128_imm8);
        ShareMask(table, Code.Pcmpistrm_xmm_xmmm128_imm8, Code.VEX_Vpcmpistrm_xmm_xmmm128_imm8);
    }

    private static void Share(InstructionTable table, Code legacy, params ReadOnlySpan<Code> codes)
    {
        foreach (Code code in codes)
        {
            s_handlers[(int)code] = table[legacy];
            table.Set(code, &Run);
        }
    }

    private static void ShareMask(InstructionTable table, Code legacy, Code code)
    {
        s_handlers[(int)code] = table[legacy];
        table.Set(code, &RunToXmm0);
    }

    private static Outcome Run(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        // SSE's own conditions (CR0.EM, CR4.OSFXSR) do not bind VEX encodings.
        uint mode = s->Mode;
        s->Mode = mode | ExecutionMode.SseUsable;
        Outcome outcome = s_handlers[(int)i->Code](cpu, s, i);
        s->Mode = mode;
        return outcome;
    }

    private static Outcome RunToXmm0(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        Outcome outcome = Run(cpu, s, i);
        if (outcome == Outcome.Next)
            ((Vector128<ulong>*)&s->Vector[0])[1] = default;
        return outcome;
    }
}
