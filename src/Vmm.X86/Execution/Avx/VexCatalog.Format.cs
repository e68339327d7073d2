using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private void AddFormat()
    {
        Both(Code.VEX_Vpacksswb_xmm_xmm_xmmm128, &PackedCall<Packsswb>);
        Both(Code.VEX_Vpackssdw_xmm_xmm_xmmm128, &PackedCall<Packssdw>);
        Both(Code.VEX_Vpackuswb_xmm_xmm_xmmm128, &PackedCall<Packuswb>);
        Both(Code.VEX_Vpackusdw_xmm_xmm_xmmm128, &PackedCall<Packusdw>);
        Both(Code.VEX_Vpshufb_xmm_xmm_xmmm128, &PackedCall<Pshufb>);
        Both(Code.VEX_Vpunpcklbw_xmm_xmm_xmmm128, &Packed<Punpcklbw>);
        Both(Code.VEX_Vpunpcklwd_xmm_xmm_xmmm128, &Packed<Punpcklwd>);
        Both(Code.VEX_Vpunpckldq_xmm_xmm_xmmm128, &Packed<Punpckldq>);
        Both(Code.VEX_Vpunpcklqdq_xmm_xmm_xmmm128, &Packed<Punpcklqdq>);
        Both(Code.VEX_Vpunpckhbw_xmm_xmm_xmmm128, &Packed<Punpckhbw>);
        Both(Code.VEX_Vpunpckhwd_xmm_xmm_xmmm128, &Packed<Punpckhwd>);
        Both(Code.VEX_Vpunpckhdq_xmm_xmm_xmmm128, &Packed<Punpckhdq>);
        Both(Code.VEX_Vpunpckhqdq_xmm_xmm_xmmm128, &Packed<Punpckhqdq>);
        Both(Code.VEX_Vunpcklps_xmm_xmm_xmmm128, &Packed<Punpckldq>);
        Both(Code.VEX_Vunpcklpd_xmm_xmm_xmmm128, &Packed<Punpcklqdq>);
        Both(Code.VEX_Vunpckhps_xmm_xmm_xmmm128, &Packed<Punpckhdq>);
        Both(Code.VEX_Vunpckhpd_xmm_xmm_xmmm128, &Packed<Punpckhqdq>);
        Both(Code.VEX_Vmovsldup_xmm_xmmm128, &Packed<Movsldup>);
        Both(Code.VEX_Vmovshdup_xmm_xmmm128, &Packed<Movshdup>);
        Both(Code.VEX_Vpshufd_xmm_xmmm128_imm8, &Immediate<Pshufd>);
        Both(Code.VEX_Vpshuflw_xmm_xmmm128_imm8, &Immediate<Pshuflw>);
        Both(Code.VEX_Vpshufhw_xmm_xmmm128_imm8, &Immediate<Pshufhw>);
        Both(Code.VEX_Vpermilps_xmm_xmmm128_imm8, &Immediate<Pshufd>);
        Both(Code.VEX_Vpermilpd_xmm_xmmm128_imm8, &Immediate<Permilpd>);
        Both(Code.VEX_Vshufps_xmm_xmm_xmmm128_imm8, &Immediate<Shufps>);
        Both(Code.VEX_Vshufpd_xmm_xmm_xmmm128_imm8, &Immediate<Shufpd>);
        Both(Code.VEX_Vpalignr_xmm_xmm_xmmm128_imm8, &Immediate<Palignr>);
        Both(Code.VEX_Vpmovsxbw_xmm_xmmm64, &Plain<VexExtend<sbyte, short, Width128>, VexExtend<sbyte, short, Width256>>);
        Both(Code.VEX_Vpmovsxbd_xmm_xmmm32, &Plain<VexExtend<sbyte, int, Width128>, VexExtend<sbyte, int, Width256>>);
        Both(Code.VEX_Vpmovsxbq_xmm_xmmm16, &Plain<VexExtend<sbyte, long, Width128>, VexExtend<sbyte, long, Width256>>);
        Both(Code.VEX_Vpmovsxwd_xmm_xmmm64, &Plain<VexExtend<short, int, Width128>, VexExtend<short, int, Width256>>);
        Both(Code.VEX_Vpmovsxwq_xmm_xmmm32, &Plain<VexExtend<short, long, Width128>, VexExtend<short, long, Width256>>);
        Both(Code.VEX_Vpmovsxdq_xmm_xmmm64, &Plain<VexExtend<int, long, Width128>, VexExtend<int, long, Width256>>);
        Both(Code.VEX_Vpmovzxbw_xmm_xmmm64, &Plain<VexExtend<byte, ushort, Width128>, VexExtend<byte, ushort, Width256>>);
        Both(Code.VEX_Vpmovzxbd_xmm_xmmm32, &Plain<VexExtend<byte, uint, Width128>, VexExtend<byte, uint, Width256>>);
        Both(Code.VEX_Vpmovzxbq_xmm_xmmm16, &Plain<VexExtend<byte, ulong, Width128>, VexExtend<byte, ulong, Width256>>);
        Both(Code.VEX_Vpmovzxwd_xmm_xmmm64, &Plain<VexExtend<ushort, uint, Width128>, VexExtend<ushort, uint, Width256>>);
        Both(Code.VEX_Vpmovzxwq_xmm_xmmm32, &Plain<VexExtend<ushort, ulong, Width128>, VexExtend<ushort, ulong, Width256>>);
        Both(Code.VEX_Vpmovzxdq_xmm_xmmm64, &Plain<VexExtend<uint, ulong, Width128>, VexExtend<uint, ulong, Width256>>);
    }

    private void AddPermutations()
    {
        Both(Code.VEX_Vpermilps_xmm_xmm_xmmm128, &PackedCall<VariablePermilps>);
        Both(Code.VEX_Vpermilpd_xmm_xmm_xmmm128, &PackedCall<VariablePermilpd>);
        Wide(Code.VEX_Vpermd_ymm_ymm_ymmm256, &Plain<VexPermuteDoublewords>);
        Wide(Code.VEX_Vpermps_ymm_ymm_ymmm256, &Plain<VexPermuteDoublewords>);
        Wide(Code.VEX_Vpermq_ymm_ymmm256_imm8, &Plain<VexPermuteQuadwords>);
        Wide(Code.VEX_Vpermpd_ymm_ymmm256_imm8, &Plain<VexPermuteQuadwords>);
        Wide(Code.VEX_Vperm2f128_ymm_ymm_ymmm256_imm8, &Plain<VexPermuteLanes>);
        Wide(Code.VEX_Vperm2i128_ymm_ymm_ymmm256_imm8, &Plain<VexPermuteLanes>);
        Wide(Code.VEX_Vinsertf128_ymm_ymm_xmmm128_imm8, &Plain<VexInsertLane>);
        Wide(Code.VEX_Vinserti128_ymm_ymm_xmmm128_imm8, &Plain<VexInsertLane>);
        Wide(Code.VEX_Vbroadcastf128_ymm_m128, &Plain<VexBroadcastLane>);
        Wide(Code.VEX_Vbroadcasti128_ymm_m128, &Plain<VexBroadcastLane>);
        Both(Code.VEX_Vbroadcastss_xmm_m32, &Plain<VexBroadcast<uint, Width128>, VexBroadcast<uint, Width256>>);
        Both(Code.VEX_Vbroadcastss_xmm_xmm, &Plain<VexBroadcast<uint, Width128>, VexBroadcast<uint, Width256>>);
        Wide(Code.VEX_Vbroadcastsd_ymm_m64, &Plain<VexBroadcast<ulong, Width256>>);
        Wide(Code.VEX_Vbroadcastsd_ymm_xmm, &Plain<VexBroadcast<ulong, Width256>>);
        Both(Code.VEX_Vpbroadcastb_xmm_xmmm8, &Plain<VexBroadcast<byte, Width128>, VexBroadcast<byte, Width256>>);
        Both(Code.VEX_Vpbroadcastw_xmm_xmmm16, &Plain<VexBroadcast<ushort, Width128>, VexBroadcast<ushort, Width256>>);
        Both(Code.VEX_Vpbroadcastd_xmm_xmmm32, &Plain<VexBroadcast<uint, Width128>, VexBroadcast<uint, Width256>>);
        Both(Code.VEX_Vpbroadcastq_xmm_xmmm64, &Plain<VexBroadcast<ulong, Width128>, VexBroadcast<ulong, Width256>>);
    }

    private void AddElements()
    {
        Narrow(Code.VEX_Vpinsrb_xmm_xmm_r32m8_imm8, &Plain<VexInsert<byte>>);
        Narrow(Code.VEX_Vpinsrb_xmm_xmm_r64m8_imm8, &Plain<VexInsert<byte>>);
        Narrow(Code.VEX_Vpinsrw_xmm_xmm_r32m16_imm8, &Plain<VexInsert<ushort>>);
        Narrow(Code.VEX_Vpinsrw_xmm_xmm_r64m16_imm8, &Plain<VexInsert<ushort>>);
        Narrow(Code.VEX_Vpinsrd_xmm_xmm_rm32_imm8, &Plain<VexInsert<uint>>);
        Narrow(Code.VEX_Vpinsrq_xmm_xmm_rm64_imm8, &Plain<VexInsert<ulong>>);
        Narrow(Code.VEX_Vinsertps_xmm_xmm_xmmm32_imm8, &Insertps);
        Wide(Code.VEX_Vmovmskps_r32_ymm, &Plain<VexMask<uint>>);
        Wide(Code.VEX_Vmovmskps_r64_ymm, &Plain<VexMask<uint>>);
        Wide(Code.VEX_Vmovmskpd_r32_ymm, &Plain<VexMask<ulong>>);
        Wide(Code.VEX_Vmovmskpd_r64_ymm, &Plain<VexMask<ulong>>);
        Wide(Code.VEX_Vpmovmskb_r32_ymm, &Plain<VexMask<byte>>);
        Wide(Code.VEX_Vpmovmskb_r64_ymm, &Plain<VexMask<byte>>);
    }

    // Of a register, the immediate chooses the element; of memory there is but one.
    private static nint Insertps(VexForm form, bool wide) => form switch
    {
        VexForm.Table => (nint)(delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>)&Insertps,
        VexForm.Register => VexHandlers.Of<VexPlain<VexInsertSingle<ChosenElement>>>(form),
        _ => VexHandlers.Of<VexPlain<VexInsertSingle<OnlyElement>>>(form),
    };

    private static Outcome Insertps(ProcessorCore cpu, VcpuState* s, Instruction* i) => i->Op2Kind == OpKind.Register
        ? VexInstructions.Run<VexPlain<VexInsertSingle<ChosenElement>>>(cpu, s, i)
        : VexInstructions.Run<VexPlain<VexInsertSingle<OnlyElement>>>(cpu, s, i);
}
