using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

// SAFETY: only takes addresses of handlers.
internal sealed unsafe partial class BlockDecoder
{
    /// <summary>
    /// Appends the compact form of a VEX-encoded vector instruction; false when there is none, or AVX may not run in this mode.
    /// </summary>
    private bool LowerVex(in Instruction i, int offset)
    {
        if ((_mode & ExecutionMode.AvxUsable) == 0)
            return false;
        if (VexCatalog.Instance[i.Code, VexForm.Register] == 0)
            return LowerVexShared(in i, offset);
        ref LoweredOperation lowered = ref Append(offset);
        lowered.Leaves = true;
        ref DecodedOperation operation = ref lowered.Operation;
        int last = i.OpCount - 1;
        if (i.GetOpKind(last) == OpKind.Immediate8)
        {
            operation.Immediate = i.Immediate8;
            last--;
        }
        else if (last == 3)
        {
            operation.Immediate = VexOperands.Offset(i.GetOpRegister(last));
            last--;
        }
        operation.Destination = VexOperands.Offset(i.Op0Register);
        operation.Source = last == 2 ? VexOperands.Offset(i.Op1Register) : operation.Destination;
        if (i.GetOpKind(last) == OpKind.Register)
        {
            operation.Base = VexOperands.Offset(i.GetOpRegister(last));
            operation.Handler = VexCatalog.Instance[i.Code, VexForm.Register];
            return true;
        }
        AddressForm form = Address(ref lowered, in i, false);
        if (form == AddressForm.None)
            return false;
        operation.Handler = VexCatalog.Instance[i.Code, VexForm.Base + (int)form];
        return true;
    }

    /// <summary>Those with a form in common with SSE, and stores.</summary>
    private bool LowerVexShared(in Instruction i, int offset) => i.Code switch
    {
        Code.VEX_Vmovups_xmmm128_xmm or Code.VEX_Vmovupd_xmmm128_xmm or Code.VEX_Vmovdqu_xmmm128_xmm
            when i.Op0Kind == OpKind.Memory => LowerVexStore<Vector128<byte>>(in i, offset, false),
        Code.VEX_Vmovups_ymmm256_ymm or Code.VEX_Vmovupd_ymmm256_ymm or Code.VEX_Vmovdqu_ymmm256_ymm
            when i.Op0Kind == OpKind.Memory => LowerVexStore<Vector256<byte>>(in i, offset, false),
        Code.VEX_Vmovaps_xmmm128_xmm or Code.VEX_Vmovapd_xmmm128_xmm or Code.VEX_Vmovdqa_xmmm128_xmm or Code.VEX_Vmovntps_m128_xmm
            or Code.VEX_Vmovntpd_m128_xmm or Code.VEX_Vmovntdq_m128_xmm
            when i.Op0Kind == OpKind.Memory => LowerVexStore<Vector128<byte>>(in i, offset, true),
        Code.VEX_Vmovaps_ymmm256_ymm or Code.VEX_Vmovapd_ymmm256_ymm or Code.VEX_Vmovdqa_ymmm256_ymm or Code.VEX_Vmovntps_m256_ymm
            or Code.VEX_Vmovntpd_m256_ymm or Code.VEX_Vmovntdq_m256_ymm
            when i.Op0Kind == OpKind.Memory => LowerVexStore<Vector256<byte>>(in i, offset, true),
        Code.VEX_Vmovd_rm32_xmm => i.Op0Kind == OpKind.Register ? LowerPlainSimd<GeneralMove<uint>>(in i, offset)
            : LowerVexStore<uint>(in i, offset, false),
        Code.VEX_Vmovq_rm64_xmm => i.Op0Kind == OpKind.Register ? LowerPlainSimd<GeneralMove<ulong>>(in i, offset)
            : LowerVexStore<ulong>(in i, offset, false),
        Code.VEX_Vmovss_m32_xmm => LowerVexStore<uint>(in i, offset, false),
        Code.VEX_Vmovsd_m64_xmm or Code.VEX_Vmovlps_m64_xmm or Code.VEX_Vmovlpd_m64_xmm => LowerVexStore<ulong>(in i, offset, false),
        Code.VEX_Vmovq_xmmm64_xmm when i.Op0Kind == OpKind.Memory => LowerVexStore<ulong>(in i, offset, false),
        Code.VEX_Vmovhps_m64_xmm or Code.VEX_Vmovhpd_m64_xmm => LowerVexStore<ulong>(in i, offset, false, 8),
        Code.VEX_Vextractf128_xmmm128_ymm_imm8 or Code.VEX_Vextracti128_xmmm128_ymm_imm8 => i.Op0Kind == OpKind.Register
            ? LowerVexMove<VexMove<Width128>>(in i, offset, (i.Immediate8 & 1) * 16)
            : LowerVexStore<Vector128<byte>>(in i, offset, false, (i.Immediate8 & 1) * 16),
        Code.VEX_Vpextrd_rm32_xmm_imm8 or Code.VEX_Vextractps_rm32_xmm_imm8 => LowerVexElement<uint>(in i, offset),
        Code.VEX_Vpextrq_rm64_xmm_imm8 => LowerVexElement<ulong>(in i, offset),
        Code.VEX_Vpextrb_r32m8_xmm_imm8 => LowerVexElement<byte>(in i, offset),
        Code.VEX_Vpextrw_r32m16_xmm_imm8 or Code.VEX_Vpextrw_r32_xmm_imm8 => LowerVexElement<ushort>(in i, offset),
        Code.VEX_Vpmovmskb_r32_xmm => LowerVexMove<VexMask128<byte>>(in i, offset, 0),
        Code.VEX_Vmovmskps_r32_xmm => LowerVexMove<VexMask128<uint>>(in i, offset, 0),
        Code.VEX_Vmovmskpd_r32_xmm => LowerVexMove<VexMask128<ulong>>(in i, offset, 0),
        Code.VEX_Vzeroupper when _code64 => LowerZeroUpper(offset),
        Code.VEX_Vcomisd_xmm_xmmm64 => LowerFloat<CompareFloat<Binary64, Signalling>>(in i, offset, FlagUse.All),
        Code.VEX_Vcomiss_xmm_xmmm32 => LowerFloat<CompareFloat<Binary32, Signalling>>(in i, offset, FlagUse.All),
        Code.VEX_Vucomisd_xmm_xmmm64 => LowerFloat<CompareFloat<Binary64, NonSignalling>>(in i, offset, FlagUse.All),
        Code.VEX_Vucomiss_xmm_xmmm32 => LowerFloat<CompareFloat<Binary32, NonSignalling>>(in i, offset, FlagUse.All),
        Code.VEX_Vcvttsd2si_r32_xmmm64 => LowerFloat<FloatToInteger<int, Binary64>>(in i, offset),
        Code.VEX_Vcvttsd2si_r64_xmmm64 => LowerFloat<FloatToInteger<long, Binary64>>(in i, offset),
        Code.VEX_Vcvttss2si_r32_xmmm32 => LowerFloat<FloatToInteger<int, Binary32>>(in i, offset),
        Code.VEX_Vcvttss2si_r64_xmmm32 => LowerFloat<FloatToInteger<long, Binary32>>(in i, offset),
        _ => false,
    };

    /// <summary>From a byte offset in a register to a register.</summary>
    private bool LowerVexMove<TOperation>(in Instruction i, int offset, int part)
        where TOperation : struct, IVexPlainOperation
    {
        ref LoweredOperation lowered = ref Append(offset);
        lowered.Operation.Destination = VexOperands.Offset(i.Op0Register);
        lowered.Operation.Base = (ushort)(VexOperands.Offset(i.Op1Register) + part);
        lowered.Operation.Handler = VexHandlers.Of<VexPlain<TOperation>>(VexForm.Register);
        return true;
    }

    private bool LowerVexElement<T>(in Instruction i, int offset)
        where T : unmanaged
    {
        int part = i.Immediate8 * sizeof(T) % 16;
        return i.Op0Kind == OpKind.Register ? LowerVexMove<VexElement<T>>(in i, offset, part) : LowerVexStore<T>(in i, offset, false, part);
    }

    private bool LowerZeroUpper(int offset)
    {
        Append(offset).Operation.Handler = VexHandlers.Of<VexPlain<VexZeroUpper>>(VexForm.Register);
        return true;
    }

    private bool LowerVexStore<T>(in Instruction i, int offset, bool aligned, int part = 0)
        where T : unmanaged
    {
        ref LoweredOperation lowered = ref Append(offset);
        lowered.Leaves = true;
        lowered.Operation.Source = (ushort)(VexOperands.Offset(i.Op1Register) + part);
        AddressForm form = Address(ref lowered, in i, true);
        lowered.Operation.Handler = aligned ? AlignedSimdStore<T>(form) : SimdStore<T>(form);
        return form != AddressForm.None;
    }
}
