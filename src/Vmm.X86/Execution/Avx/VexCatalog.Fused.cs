using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private static nint Fused<TOrder, TSigns, TFormat>(VexForm form, bool wide)
        where TOrder : struct, IFusedOrder
        where TSigns : struct, IFusedSigns
        where TFormat : struct, IFloatFormat =>
        Either<VexFused<TOrder, TSigns, TFormat, Width128>, VexFused<TOrder, TSigns, TFormat, Width256>>(form, wide);

    private static nint FusedScalar<TOrder, TSigns, TFormat>(VexForm form, bool wide)
        where TOrder : struct, IFusedOrder
        where TSigns : struct, IFusedSigns
        where TFormat : struct, IFloatFormat => VexHandlers.Of<VexFusedScalar<TOrder, TSigns, TFormat>>(form);

    private void AddFused()
    {
        Both(Code.VEX_Vfmadd132ps_xmm_xmm_xmmm128, &Fused<Order132, MultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfmadd132ss_xmm_xmm_xmmm32, &FusedScalar<Order132, MultiplyAdd, Binary32>);
        Both(Code.VEX_Vfmadd132pd_xmm_xmm_xmmm128, &Fused<Order132, MultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfmadd132sd_xmm_xmm_xmmm64, &FusedScalar<Order132, MultiplyAdd, Binary64>);
        Both(Code.VEX_Vfmsub132ps_xmm_xmm_xmmm128, &Fused<Order132, MultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfmsub132ss_xmm_xmm_xmmm32, &FusedScalar<Order132, MultiplySubtract, Binary32>);
        Both(Code.VEX_Vfmsub132pd_xmm_xmm_xmmm128, &Fused<Order132, MultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfmsub132sd_xmm_xmm_xmmm64, &FusedScalar<Order132, MultiplySubtract, Binary64>);
        Both(Code.VEX_Vfnmadd132ps_xmm_xmm_xmmm128, &Fused<Order132, NegatedMultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfnmadd132ss_xmm_xmm_xmmm32, &FusedScalar<Order132, NegatedMultiplyAdd, Binary32>);
        Both(Code.VEX_Vfnmadd132pd_xmm_xmm_xmmm128, &Fused<Order132, NegatedMultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfnmadd132sd_xmm_xmm_xmmm64, &FusedScalar<Order132, NegatedMultiplyAdd, Binary64>);
        Both(Code.VEX_Vfnmsub132ps_xmm_xmm_xmmm128, &Fused<Order132, NegatedMultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfnmsub132ss_xmm_xmm_xmmm32, &FusedScalar<Order132, NegatedMultiplySubtract, Binary32>);
        Both(Code.VEX_Vfnmsub132pd_xmm_xmm_xmmm128, &Fused<Order132, NegatedMultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfnmsub132sd_xmm_xmm_xmmm64, &FusedScalar<Order132, NegatedMultiplySubtract, Binary64>);
        Both(Code.VEX_Vfmaddsub132ps_xmm_xmm_xmmm128, &Fused<Order132, MultiplyAddSubtract, Binary32>);
        Both(Code.VEX_Vfmaddsub132pd_xmm_xmm_xmmm128, &Fused<Order132, MultiplyAddSubtract, Binary64>);
        Both(Code.VEX_Vfmsubadd132ps_xmm_xmm_xmmm128, &Fused<Order132, MultiplySubtractAdd, Binary32>);
        Both(Code.VEX_Vfmsubadd132pd_xmm_xmm_xmmm128, &Fused<Order132, MultiplySubtractAdd, Binary64>);
        Both(Code.VEX_Vfmadd213ps_xmm_xmm_xmmm128, &Fused<Order213, MultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfmadd213ss_xmm_xmm_xmmm32, &FusedScalar<Order213, MultiplyAdd, Binary32>);
        Both(Code.VEX_Vfmadd213pd_xmm_xmm_xmmm128, &Fused<Order213, MultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfmadd213sd_xmm_xmm_xmmm64, &FusedScalar<Order213, MultiplyAdd, Binary64>);
        Both(Code.VEX_Vfmsub213ps_xmm_xmm_xmmm128, &Fused<Order213, MultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfmsub213ss_xmm_xmm_xmmm32, &FusedScalar<Order213, MultiplySubtract, Binary32>);
        Both(Code.VEX_Vfmsub213pd_xmm_xmm_xmmm128, &Fused<Order213, MultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfmsub213sd_xmm_xmm_xmmm64, &FusedScalar<Order213, MultiplySubtract, Binary64>);
        Both(Code.VEX_Vfnmadd213ps_xmm_xmm_xmmm128, &Fused<Order213, NegatedMultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfnmadd213ss_xmm_xmm_xmmm32, &FusedScalar<Order213, NegatedMultiplyAdd, Binary32>);
        Both(Code.VEX_Vfnmadd213pd_xmm_xmm_xmmm128, &Fused<Order213, NegatedMultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfnmadd213sd_xmm_xmm_xmmm64, &FusedScalar<Order213, NegatedMultiplyAdd, Binary64>);
        Both(Code.VEX_Vfnmsub213ps_xmm_xmm_xmmm128, &Fused<Order213, NegatedMultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfnmsub213ss_xmm_xmm_xmmm32, &FusedScalar<Order213, NegatedMultiplySubtract, Binary32>);
        Both(Code.VEX_Vfnmsub213pd_xmm_xmm_xmmm128, &Fused<Order213, NegatedMultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfnmsub213sd_xmm_xmm_xmmm64, &FusedScalar<Order213, NegatedMultiplySubtract, Binary64>);
        Both(Code.VEX_Vfmaddsub213ps_xmm_xmm_xmmm128, &Fused<Order213, MultiplyAddSubtract, Binary32>);
        Both(Code.VEX_Vfmaddsub213pd_xmm_xmm_xmmm128, &Fused<Order213, MultiplyAddSubtract, Binary64>);
        Both(Code.VEX_Vfmsubadd213ps_xmm_xmm_xmmm128, &Fused<Order213, MultiplySubtractAdd, Binary32>);
        Both(Code.VEX_Vfmsubadd213pd_xmm_xmm_xmmm128, &Fused<Order213, MultiplySubtractAdd, Binary64>);
        Both(Code.VEX_Vfmadd231ps_xmm_xmm_xmmm128, &Fused<Order231, MultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfmadd231ss_xmm_xmm_xmmm32, &FusedScalar<Order231, MultiplyAdd, Binary32>);
        Both(Code.VEX_Vfmadd231pd_xmm_xmm_xmmm128, &Fused<Order231, MultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfmadd231sd_xmm_xmm_xmmm64, &FusedScalar<Order231, MultiplyAdd, Binary64>);
        Both(Code.VEX_Vfmsub231ps_xmm_xmm_xmmm128, &Fused<Order231, MultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfmsub231ss_xmm_xmm_xmmm32, &FusedScalar<Order231, MultiplySubtract, Binary32>);
        Both(Code.VEX_Vfmsub231pd_xmm_xmm_xmmm128, &Fused<Order231, MultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfmsub231sd_xmm_xmm_xmmm64, &FusedScalar<Order231, MultiplySubtract, Binary64>);
        Both(Code.VEX_Vfnmadd231ps_xmm_xmm_xmmm128, &Fused<Order231, NegatedMultiplyAdd, Binary32>);
        Narrow(Code.VEX_Vfnmadd231ss_xmm_xmm_xmmm32, &FusedScalar<Order231, NegatedMultiplyAdd, Binary32>);
        Both(Code.VEX_Vfnmadd231pd_xmm_xmm_xmmm128, &Fused<Order231, NegatedMultiplyAdd, Binary64>);
        Narrow(Code.VEX_Vfnmadd231sd_xmm_xmm_xmmm64, &FusedScalar<Order231, NegatedMultiplyAdd, Binary64>);
        Both(Code.VEX_Vfnmsub231ps_xmm_xmm_xmmm128, &Fused<Order231, NegatedMultiplySubtract, Binary32>);
        Narrow(Code.VEX_Vfnmsub231ss_xmm_xmm_xmmm32, &FusedScalar<Order231, NegatedMultiplySubtract, Binary32>);
        Both(Code.VEX_Vfnmsub231pd_xmm_xmm_xmmm128, &Fused<Order231, NegatedMultiplySubtract, Binary64>);
        Narrow(Code.VEX_Vfnmsub231sd_xmm_xmm_xmmm64, &FusedScalar<Order231, NegatedMultiplySubtract, Binary64>);
        Both(Code.VEX_Vfmaddsub231ps_xmm_xmm_xmmm128, &Fused<Order231, MultiplyAddSubtract, Binary32>);
        Both(Code.VEX_Vfmaddsub231pd_xmm_xmm_xmmm128, &Fused<Order231, MultiplyAddSubtract, Binary64>);
        Both(Code.VEX_Vfmsubadd231ps_xmm_xmm_xmmm128, &Fused<Order231, MultiplySubtractAdd, Binary32>);
        Both(Code.VEX_Vfmsubadd231pd_xmm_xmm_xmmm128, &Fused<Order231, MultiplySubtractAdd, Binary64>);
    }
}
