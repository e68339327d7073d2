using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private void AddMoves()
    {
        foreach (Code code in new[] { Code.VEX_Vmovups_xmm_xmmm128, Code.VEX_Vmovupd_xmm_xmmm128, Code.VEX_Vmovdqu_xmm_xmmm128,
            Code.VEX_Vlddqu_xmm_m128 })
            Both(code, &Move);
        foreach (Code code in new[] { Code.VEX_Vmovaps_xmm_xmmm128, Code.VEX_Vmovapd_xmm_xmmm128, Code.VEX_Vmovdqa_xmm_xmmm128,
            Code.VEX_Vmovntdqa_xmm_m128 })
            Both(code, &AlignedMove);
        Narrow(Code.VEX_Vmovss_xmm_m32, &Only<VexScalarMove<uint>>);
        Narrow(Code.VEX_Vmovsd_xmm_m64, &Only<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovd_xmm_rm32, &Only<VexScalarMove<uint>>);
        Narrow(Code.VEX_Vmovq_xmm_rm64, &Only<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovq_xmm_xmmm64, &Only<VexScalarMove<ulong>>);
        Narrow(Code.VEX_Vmovss_xmm_xmm_xmm, &Only<VexMergeSingle>);
        Narrow(Code.VEX_Vmovss_xmm_xmm_xmm_0F11, &Only<VexMergeSingle>);
        foreach (Code code in new[] { Code.VEX_Vmovsd_xmm_xmm_xmm, Code.VEX_Vmovsd_xmm_xmm_xmm_0F11, Code.VEX_Vmovlps_xmm_xmm_m64,
            Code.VEX_Vmovlpd_xmm_xmm_m64 })
            Narrow(code, &Only<VexPair<LowFromSecond>>);
        foreach (Code code in new[] { Code.VEX_Vmovlhps_xmm_xmm_xmm, Code.VEX_Vmovhps_xmm_xmm_m64, Code.VEX_Vmovhpd_xmm_xmm_m64 })
            Narrow(code, &Only<VexPair<HighFromSecond>>);
        Narrow(Code.VEX_Vmovhlps_xmm_xmm_xmm, &Only<VexPair<LowFromSecondHigh>>);
        Both(Code.VEX_Vmovddup_xmm_xmmm64, &Duplicate);
    }

    private static nint Move(VexForm form, bool wide) =>
        wide ? VexHandlers.Of<VexMove<Width256>>(form) : VexHandlers.Of<VexMove<Width128>>(form);

    private static nint AlignedMove(VexForm form, bool wide) =>
        wide ? VexHandlers.Of<VexAlignedMove<Width256>>(form) : VexHandlers.Of<VexAlignedMove<Width128>>(form);

    private static nint Duplicate(VexForm form, bool wide) =>
        wide ? VexHandlers.Of<VexDuplicate<Width256>>(form) : VexHandlers.Of<VexDuplicate<Width128>>(form);
}
