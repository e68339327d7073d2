using Iced.Intel;

namespace Vmm.X86.Execution;

// SAFETY: only takes addresses of handlers.
internal sealed unsafe partial class BlockDecoder
{
    /// <summary>Moves, or false.</summary>
    private bool LowerSimdMove(in Instruction i, int offset) => i.Code switch
    {
        Code.Movaps_xmm_xmmm128 or Code.Movapd_xmm_xmmm128 or Code.Movdqa_xmm_xmmm128 => LowerPlainSimd<AlignedMove>(in i, offset),
        Code.Movups_xmm_xmmm128 or Code.Movupd_xmm_xmmm128 or Code.Movdqu_xmm_xmmm128 => LowerPlainSimd<UnalignedMove>(in i, offset),
        Code.Movaps_xmmm128_xmm or Code.Movapd_xmmm128_xmm or Code.Movdqa_xmmm128_xmm
            or Code.Movntps_m128_xmm or Code.Movntpd_m128_xmm or Code.Movntdq_m128_xmm
            => LowerVectorStore<AlignedMove>(in i, offset),
        Code.Movups_xmmm128_xmm or Code.Movupd_xmmm128_xmm or Code.Movdqu_xmmm128_xmm => LowerVectorStore<UnalignedMove>(in i, offset),
        Code.Movsd_xmm_xmmm64 =>
            i.Op1Kind == OpKind.Register ? LowerPlainSimd<PartialMove<ulong>>(in i, offset) : LowerPlainSimd<QuadwordMove>(in i, offset),
        Code.Movss_xmm_xmmm32 =>
            i.Op1Kind == OpKind.Register ? LowerPlainSimd<PartialMove<uint>>(in i, offset) : LowerPlainSimd<DoublewordMove>(in i, offset),
        Code.Movsd_xmmm64_xmm =>
            i.Op0Kind == OpKind.Register ? LowerPlainSimd<PartialMove<ulong>>(in i, offset) : LowerStore<ulong>(in i, offset, 0),
        Code.Movss_xmmm32_xmm =>
            i.Op0Kind == OpKind.Register ? LowerPlainSimd<PartialMove<uint>>(in i, offset) : LowerStore<uint>(in i, offset, 0),
        Code.Movq_xmm_xmmm64 or Code.Movq_xmm_rm64 => LowerPlainSimd<QuadwordMove>(in i, offset),
        Code.Movq_xmmm64_xmm => i.Op0Kind == OpKind.Register ? LowerPlainSimd<QuadwordMove>(in i, offset) : LowerStore<ulong>(in i, offset, 0),
        Code.Movd_xmm_rm32 => LowerPlainSimd<DoublewordMove>(in i, offset),
        Code.Movd_rm32_xmm => i.Op0Kind == OpKind.Register ? LowerPlainSimd<GeneralMove<uint>>(in i, offset) : LowerStore<uint>(in i, offset, 0),
        Code.Movq_rm64_xmm =>
            i.Op0Kind == OpKind.Register ? LowerPlainSimd<GeneralMove<ulong>>(in i, offset) : LowerStore<ulong>(in i, offset, 0),
        Code.Movlps_xmm_m64 or Code.Movlpd_xmm_m64 => LowerPlainSimd<PartialMove<ulong>>(in i, offset),
        Code.Movhps_xmm_m64 or Code.Movhpd_xmm_m64 or Code.Movlhps_xmm_xmm => LowerPlainSimd<PartialMove<ulong>>(in i, offset, 8, 0),
        Code.Movhlps_xmm_xmm => LowerPlainSimd<PartialMove<ulong>>(in i, offset, 0, 8),
        Code.Movlps_m64_xmm or Code.Movlpd_m64_xmm => LowerStore<ulong>(in i, offset, 0),
        Code.Movhps_m64_xmm or Code.Movhpd_m64_xmm => LowerStore<ulong>(in i, offset, 8),
        _ => false,
    };

    /// <summary>A move whose destination may be memory.</summary>
    private bool LowerVectorStore<TOperation>(in Instruction i, int offset)
        where TOperation : struct, ISimdPlainOperation
    {
        if (i.Op0Kind == OpKind.Register)
            return LowerPlainSimd<TOperation>(in i, offset);
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = true;
        operation.Operation.Source = SimdOffset(i.Op1Register);
        AddressForm form = Address(ref operation, in i, true);
        operation.Operation.Handler = TOperation.Aligned
            ? AlignedSimdStore<System.Runtime.Intrinsics.Vector128<byte>>(form)
            : SimdStore<System.Runtime.Intrinsics.Vector128<byte>>(form);
        return form != AddressForm.None;
    }

    /// <summary>A store of part of a register, from a byte offset in it.</summary>
    private bool LowerStore<T>(in Instruction i, int offset, int part)
        where T : unmanaged
    {
        ref LoweredOperation operation = ref Append(offset);
        operation.Leaves = true;
        operation.Operation.Source = (ushort)(SimdOffset(i.Op1Register) + part);
        AddressForm form = Address(ref operation, in i, true);
        operation.Operation.Handler = SimdStore<T>(form);
        return form != AddressForm.None;
    }

    private static nint SimdStore<T>(AddressForm form)
        where T : unmanaged => form switch
        {
            AddressForm.Base => (nint)(Handler)(&SimdHandlers.Store<T, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&SimdHandlers.Store<T, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&SimdHandlers.Store<T, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&SimdHandlers.Store<T, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&SimdHandlers.Store<T, ShortAddress>),
            _ => (nint)(Handler)(&SimdHandlers.StoreSlow<T>),
        };

    private static nint AlignedSimdStore<T>(AddressForm form)
        where T : unmanaged => form switch
        {
            AddressForm.Base => (nint)(Handler)(&SimdHandlers.StoreAligned<T, BaseAddress>),
            AddressForm.Indexed => (nint)(Handler)(&SimdHandlers.StoreAligned<T, IndexedAddress>),
            AddressForm.Rip => (nint)(Handler)(&SimdHandlers.StoreAligned<T, RipAddress>),
            AddressForm.Thread => (nint)(Handler)(&SimdHandlers.StoreAligned<T, ThreadAddress>),
            AddressForm.Short => (nint)(Handler)(&SimdHandlers.StoreAligned<T, ShortAddress>),
            _ => (nint)(Handler)(&SimdHandlers.StoreAlignedSlow<T>),
        };
}
