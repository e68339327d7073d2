using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private static nint Float<TOperation, TFormat>(VexForm form, bool wide)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat =>
        Either<VexFloat<TOperation, TFormat, Width128>, VexFloat<TOperation, TFormat, Width256>>(form, wide);

    private static nint Scalar<TOperation, TFormat>(VexForm form, bool wide)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat => VexHandlers.Of<VexScalarFloat<TOperation, TFormat>>(form);

    private static nint Horizontal<TOperation, TFormat>(VexForm form, bool wide)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat =>
        Either<VexHorizontal<TOperation, TFormat, Width128>, VexHorizontal<TOperation, TFormat, Width256>>(form, wide);

    /// <summary>An operation of one width only.</summary>
    private static nint Only<TOperation>(VexForm form, bool wide)
        where TOperation : struct, IVexOperation => VexHandlers.Of<TOperation>(form);

    private static nint Approximate<TApproximation>(VexForm form, bool wide)
        where TApproximation : struct, IApproximation =>
        Plain<VexApproximate<TApproximation, Width128>, VexApproximate<TApproximation, Width256>>(form, wide);

    private static nint Convert<TConversion>(VexForm form, bool wide)
        where TConversion : struct, IVexConversion =>
        Either<VexConvert<TConversion, Width128>, VexConvert<TConversion, Width256>>(form, wide);

    private void AddFloat()
    {
        Both(Code.VEX_Vaddps_xmm_xmm_xmmm128, &Float<FloatAdd, Binary32>);
        Both(Code.VEX_Vaddpd_xmm_xmm_xmmm128, &Float<FloatAdd, Binary64>);
        Narrow(Code.VEX_Vaddss_xmm_xmm_xmmm32, &Scalar<FloatAdd, Binary32>);
        Narrow(Code.VEX_Vaddsd_xmm_xmm_xmmm64, &Scalar<FloatAdd, Binary64>);
        Both(Code.VEX_Vsubps_xmm_xmm_xmmm128, &Float<FloatSubtract, Binary32>);
        Both(Code.VEX_Vsubpd_xmm_xmm_xmmm128, &Float<FloatSubtract, Binary64>);
        Narrow(Code.VEX_Vsubss_xmm_xmm_xmmm32, &Scalar<FloatSubtract, Binary32>);
        Narrow(Code.VEX_Vsubsd_xmm_xmm_xmmm64, &Scalar<FloatSubtract, Binary64>);
        Both(Code.VEX_Vmulps_xmm_xmm_xmmm128, &Float<FloatMultiply, Binary32>);
        Both(Code.VEX_Vmulpd_xmm_xmm_xmmm128, &Float<FloatMultiply, Binary64>);
        Narrow(Code.VEX_Vmulss_xmm_xmm_xmmm32, &Scalar<FloatMultiply, Binary32>);
        Narrow(Code.VEX_Vmulsd_xmm_xmm_xmmm64, &Scalar<FloatMultiply, Binary64>);
        Both(Code.VEX_Vdivps_xmm_xmm_xmmm128, &Float<FloatDivide, Binary32>);
        Both(Code.VEX_Vdivpd_xmm_xmm_xmmm128, &Float<FloatDivide, Binary64>);
        Narrow(Code.VEX_Vdivss_xmm_xmm_xmmm32, &Scalar<FloatDivide, Binary32>);
        Narrow(Code.VEX_Vdivsd_xmm_xmm_xmmm64, &Scalar<FloatDivide, Binary64>);
        Both(Code.VEX_Vminps_xmm_xmm_xmmm128, &Float<FloatMinimum, Binary32>);
        Both(Code.VEX_Vminpd_xmm_xmm_xmmm128, &Float<FloatMinimum, Binary64>);
        Narrow(Code.VEX_Vminss_xmm_xmm_xmmm32, &Scalar<FloatMinimum, Binary32>);
        Narrow(Code.VEX_Vminsd_xmm_xmm_xmmm64, &Scalar<FloatMinimum, Binary64>);
        Both(Code.VEX_Vmaxps_xmm_xmm_xmmm128, &Float<FloatMaximum, Binary32>);
        Both(Code.VEX_Vmaxpd_xmm_xmm_xmmm128, &Float<FloatMaximum, Binary64>);
        Narrow(Code.VEX_Vmaxss_xmm_xmm_xmmm32, &Scalar<FloatMaximum, Binary32>);
        Narrow(Code.VEX_Vmaxsd_xmm_xmm_xmmm64, &Scalar<FloatMaximum, Binary64>);
        Both(Code.VEX_Vsqrtps_xmm_xmmm128, &Float<FloatSquareRoot, Binary32>);
        Both(Code.VEX_Vsqrtpd_xmm_xmmm128, &Float<FloatSquareRoot, Binary64>);
        Narrow(Code.VEX_Vsqrtss_xmm_xmm_xmmm32, &Scalar<FloatSquareRoot, Binary32>);
        Narrow(Code.VEX_Vsqrtsd_xmm_xmm_xmmm64, &Scalar<FloatSquareRoot, Binary64>);
        Both(Code.VEX_Vhaddps_xmm_xmm_xmmm128, &Horizontal<FloatAdd, Binary32>);
        Both(Code.VEX_Vhaddpd_xmm_xmm_xmmm128, &Horizontal<FloatAdd, Binary64>);
        Both(Code.VEX_Vhsubps_xmm_xmm_xmmm128, &Horizontal<FloatSubtract, Binary32>);
        Both(Code.VEX_Vhsubpd_xmm_xmm_xmmm128, &Horizontal<FloatSubtract, Binary64>);
        Both(Code.VEX_Vaddsubps_xmm_xmm_xmmm128, &Either<VexAddSubtract<Binary32, Width128>, VexAddSubtract<Binary32, Width256>>);
        Both(Code.VEX_Vaddsubpd_xmm_xmm_xmmm128, &Either<VexAddSubtract<Binary64, Width128>, VexAddSubtract<Binary64, Width256>>);
        Both(Code.VEX_Vdpps_xmm_xmm_xmmm128_imm8, &Either<VexDotProduct<Binary32, Width128>, VexDotProduct<Binary32, Width256>>);
        Narrow(Code.VEX_Vdppd_xmm_xmm_xmmm128_imm8, &Only<VexDotProduct<Binary64, Width128>>);
        Both(Code.VEX_Vcmpps_xmm_xmm_xmmm128_imm8, &Either<VexCompare<Binary32, Width128>, VexCompare<Binary32, Width256>>);
        Both(Code.VEX_Vcmppd_xmm_xmm_xmmm128_imm8, &Either<VexCompare<Binary64, Width128>, VexCompare<Binary64, Width256>>);
        Narrow(Code.VEX_Vcmpss_xmm_xmm_xmmm32_imm8, &Only<VexCompareScalar<Binary32>>);
        Narrow(Code.VEX_Vcmpsd_xmm_xmm_xmmm64_imm8, &Only<VexCompareScalar<Binary64>>);
        Both(Code.VEX_Vroundps_xmm_xmmm128_imm8, &Either<VexRound<Binary32, Width128>, VexRound<Binary32, Width256>>);
        Both(Code.VEX_Vroundpd_xmm_xmmm128_imm8, &Either<VexRound<Binary64, Width128>, VexRound<Binary64, Width256>>);
        Narrow(Code.VEX_Vroundss_xmm_xmm_xmmm32_imm8, &Only<VexRoundScalar<Binary32>>);
        Narrow(Code.VEX_Vroundsd_xmm_xmm_xmmm64_imm8, &Only<VexRoundScalar<Binary64>>);
        Both(Code.VEX_Vrcpps_xmm_xmmm128, &Approximate<ReciprocalApproximation>);
        Both(Code.VEX_Vrsqrtps_xmm_xmmm128, &Approximate<RootApproximation>);
        Narrow(Code.VEX_Vrcpss_xmm_xmm_xmmm32, &Plain<VexApproximateScalar<ReciprocalApproximation>>);
        Narrow(Code.VEX_Vrsqrtss_xmm_xmm_xmmm32, &Plain<VexApproximateScalar<RootApproximation>>);
    }

    private void AddConversions()
    {
        Both(Code.VEX_Vcvtps2pd_xmm_xmmm64, &Convert<ConvertFormat<Binary32, Binary64>>);
        Both(Code.VEX_Vcvtpd2ps_xmm_xmmm128, &Convert<ConvertFormat<Binary64, Binary32>>);
        Both(Code.VEX_Vcvtph2ps_xmm_xmmm64, &Convert<ConvertHalf>);
        Both(Code.VEX_Vcvtdq2ps_xmm_xmmm128, &Convert<ConvertInteger<Binary32>>);
        Both(Code.VEX_Vcvtdq2pd_xmm_xmmm64, &Convert<ConvertInteger<Binary64>>);
        Both(Code.VEX_Vcvtps2dq_xmm_xmmm128, &Convert<ConvertToInteger<Binary32>>);
        Both(Code.VEX_Vcvttps2dq_xmm_xmmm128, &Convert<TruncateToInteger<Binary32>>);
        Both(Code.VEX_Vcvtpd2dq_xmm_xmmm128, &Convert<ConvertToInteger<Binary64>>);
        Both(Code.VEX_Vcvttpd2dq_xmm_xmmm128, &Convert<TruncateToInteger<Binary64>>);
        Narrow(Code.VEX_Vcvtss2sd_xmm_xmm_xmmm32, &Only<VexConvertScalar<Binary32, Binary64>>);
        Narrow(Code.VEX_Vcvtsd2ss_xmm_xmm_xmmm64, &Only<VexConvertScalar<Binary64, Binary32>>);
        Narrow(Code.VEX_Vcvtsi2ss_xmm_xmm_rm32, &Only<VexFromInteger<int, Binary32>>);
        Narrow(Code.VEX_Vcvtsi2ss_xmm_xmm_rm64, &Only<VexFromInteger<long, Binary32>>);
        Narrow(Code.VEX_Vcvtsi2sd_xmm_xmm_rm32, &Only<VexFromInteger<int, Binary64>>);
        Narrow(Code.VEX_Vcvtsi2sd_xmm_xmm_rm64, &Only<VexFromInteger<long, Binary64>>);
    }
}
