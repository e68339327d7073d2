using Iced.Intel;

namespace Vmm.X86.Execution;

// SAFETY: only takes addresses of handlers.
internal sealed unsafe partial class BlockDecoder
{
    /// <summary>Floating point, or what follows.</summary>
    private bool LowerSimdFloat(in Instruction i, int offset) => i.Code switch
    {
        Code.Addsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatAdd, Binary64>>(in i, offset),
        Code.Addss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatAdd, Binary32>>(in i, offset),
        Code.Addpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatAdd, Binary64>>(in i, offset),
        Code.Addps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatAdd, Binary32>>(in i, offset),
        Code.Subsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatSubtract, Binary64>>(in i, offset),
        Code.Subss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatSubtract, Binary32>>(in i, offset),
        Code.Subpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatSubtract, Binary64>>(in i, offset),
        Code.Subps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatSubtract, Binary32>>(in i, offset),
        Code.Mulsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatMultiply, Binary64>>(in i, offset),
        Code.Mulss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatMultiply, Binary32>>(in i, offset),
        Code.Mulpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMultiply, Binary64>>(in i, offset),
        Code.Mulps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMultiply, Binary32>>(in i, offset),
        Code.Divsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatDivide, Binary64>>(in i, offset),
        Code.Divss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatDivide, Binary32>>(in i, offset),
        Code.Divpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatDivide, Binary64>>(in i, offset),
        Code.Divps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatDivide, Binary32>>(in i, offset),
        Code.Sqrtsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatSquareRoot, Binary64>>(in i, offset),
        Code.Sqrtss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatSquareRoot, Binary32>>(in i, offset),
        Code.Sqrtpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatSquareRoot, Binary64>>(in i, offset),
        Code.Sqrtps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatSquareRoot, Binary32>>(in i, offset),
        Code.Minsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatMinimum, Binary64>>(in i, offset),
        Code.Minss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatMinimum, Binary32>>(in i, offset),
        Code.Minpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMinimum, Binary64>>(in i, offset),
        Code.Minps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMinimum, Binary32>>(in i, offset),
        Code.Maxsd_xmm_xmmm64 => LowerFloat<ScalarFloat<FloatMaximum, Binary64>>(in i, offset),
        Code.Maxss_xmm_xmmm32 => LowerFloat<ScalarFloat<FloatMaximum, Binary32>>(in i, offset),
        Code.Maxpd_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMaximum, Binary64>>(in i, offset),
        Code.Maxps_xmm_xmmm128 => LowerFloat<PackedFloat<FloatMaximum, Binary32>>(in i, offset),
        Code.Comisd_xmm_xmmm64 => LowerFloat<CompareFloat<Binary64, Signalling>>(in i, offset, FlagUse.All),
        Code.Comiss_xmm_xmmm32 => LowerFloat<CompareFloat<Binary32, Signalling>>(in i, offset, FlagUse.All),
        Code.Ucomisd_xmm_xmmm64 => LowerFloat<CompareFloat<Binary64, NonSignalling>>(in i, offset, FlagUse.All),
        Code.Ucomiss_xmm_xmmm32 => LowerFloat<CompareFloat<Binary32, NonSignalling>>(in i, offset, FlagUse.All),
        Code.Cvtsi2sd_xmm_rm32 => LowerFloat<IntegerToFloat<int, Binary64>>(in i, offset),
        Code.Cvtsi2sd_xmm_rm64 => LowerFloat<IntegerToFloat<long, Binary64>>(in i, offset),
        Code.Cvttsd2si_r32_xmmm64 => LowerFloat<FloatToInteger<int, Binary64>>(in i, offset),
        Code.Cvttsd2si_r64_xmmm64 => LowerFloat<FloatToInteger<long, Binary64>>(in i, offset),
        Code.Cvtsi2ss_xmm_rm32 => LowerFloat<IntegerToFloat<int, Binary32>>(in i, offset),
        Code.Cvtsi2ss_xmm_rm64 => LowerFloat<IntegerToFloat<long, Binary32>>(in i, offset),
        Code.Cvttss2si_r32_xmmm32 => LowerFloat<FloatToInteger<int, Binary32>>(in i, offset),
        Code.Cvttss2si_r64_xmmm32 => LowerFloat<FloatToInteger<long, Binary32>>(in i, offset),
        Code.Cmpsd_xmm_xmmm64_imm8 => LowerFloat<ScalarFloatTest<Binary64>>(in i, offset),
        Code.Cmpss_xmm_xmmm32_imm8 => LowerFloat<ScalarFloatTest<Binary32>>(in i, offset),
        Code.Cmppd_xmm_xmmm128_imm8 => LowerFloat<PackedFloatTest<Binary64>>(in i, offset),
        Code.Cmpps_xmm_xmmm128_imm8 => LowerFloat<PackedFloatTest<Binary32>>(in i, offset),
        Code.Cvtss2sd_xmm_xmmm32 => LowerFloat<SingleToDouble>(in i, offset),
        Code.Cvtsd2ss_xmm_xmmm64 => LowerFloat<DoubleToSingle>(in i, offset),
        Code.Cvtdq2pd_xmm_xmmm64 => LowerPlainSimd<IntegersToDoubles>(in i, offset),
        _ => LowerSimdInteger(in i, offset),
    };

    /// <summary>An operation that may raise a SIMD exception.</summary>
    private bool LowerFloat<TOperation>(in Instruction i, int offset, FlagUse writes = FlagUse.None)
        where TOperation : struct, ISimdOperation
    {
        if (!LowerSimd<TOperation>(in i, offset))
            return false;
        _operations[_count - 1].Leaves = true;
        _operations[_count - 1].Writes = writes;
        return true;
    }
}
