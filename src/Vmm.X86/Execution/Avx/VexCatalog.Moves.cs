using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private void AddMoves()
    {
        foreach (Code code in new[] { Code.VEX_Vmovups_xmm_xmmm128, Code.VEX_Vmovupd_xmm_xmmm128, Code.VEX_Vmovdqu_xmm_xmmm128,
            Code.VEX_Vlddqu_xmm_m128 })
            Both(code, &Plain<VexMove<Width128>, VexMove<Width256>>);
        foreach (Code code in new[] { Code.VEX_Vmovaps_xmm_xmmm128, Code.VEX_Vmovapd_xmm_xmmm128, Code.VEX_Vmovdqa_xmm_xmmm128,
            Code.VEX_Vmovntdqa_xmm_m128 })
            Both(code, &Plain<VexAlignedMove<Width128>, VexAlignedMove<Width256>>);
        Narrow(Code.VEX_Vmovss_xmm_m32, &Plain<VexScalarMove<uint>>);
        Narrow(Code.VEX_Vmovsd_xmm_m64, &Plain<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovd_xmm_rm32, &Plain<VexScalarMove<uint>>);
        Narrow(Code.VEX_Vmovq_xmm_rm64, &Plain<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovq_xmm_xmmm64, &Plain<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovss_xmm_xmm_xmm, &Plain<VexMergeSingle>);
        Narrow(Code.VEX_Vmovss_xmm_xmm_xmm_0F11, &Plain<VexMergeSingle>);
        foreach (Code code in new[] { Code.VEX_Vmovsd_xmm_xmm_xmm, Code.VEX_Vmovsd_xmm_xmm_xmm_0F11, Code.VEX_Vmovlps_xmm_xmm_m64,
            Code.VEX_Vmovlpd_xmm_xmm_m64 })
            Narrow(code, &Plain<VexPair<LowFromSecond>>);
        foreach (Code code in new[] { Code.VEX_Vmovlhps_xmm_xmm_xmm, Code.VEX_Vmovhps_xmm_xmm_m64, Code.VEX_Vmovhpd_xmm_xmm_m64 })
            Narrow(code, &Plain<VexPair<HighFromSecond>>);
        Narrow(Code.VEX_Vmovhlps_xmm_xmm_xmm, &Plain<VexPair<LowFromSecondHigh>>);
        Both(Code.VEX_Vmovddup_xmm_xmmm64, &Plain<VexDuplicate<Width128>, VexDuplicate<Width256>>);
    }
}
