using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    private void AddArithmetic()
    {
        Both(Code.VEX_Vpaddb_xmm_xmm_xmmm128, &Packed<Paddb>);
        Both(Code.VEX_Vpaddw_xmm_xmm_xmmm128, &Packed<Paddw>);
        Both(Code.VEX_Vpaddd_xmm_xmm_xmmm128, &Packed<Paddd>);
        Both(Code.VEX_Vpaddq_xmm_xmm_xmmm128, &Packed<Paddq>);
        Both(Code.VEX_Vpsubb_xmm_xmm_xmmm128, &Packed<Psubb>);
        Both(Code.VEX_Vpsubw_xmm_xmm_xmmm128, &Packed<Psubw>);
        Both(Code.VEX_Vpsubd_xmm_xmm_xmmm128, &Packed<Psubd>);
        Both(Code.VEX_Vpsubq_xmm_xmm_xmmm128, &Packed<Psubq>);
        Both(Code.VEX_Vpaddsb_xmm_xmm_xmmm128, &Packed<Paddsb>);
        Both(Code.VEX_Vpaddsw_xmm_xmm_xmmm128, &Packed<Paddsw>);
        Both(Code.VEX_Vpaddusb_xmm_xmm_xmmm128, &Packed<Paddusb>);
        Both(Code.VEX_Vpaddusw_xmm_xmm_xmmm128, &Packed<Paddusw>);
        Both(Code.VEX_Vpsubsb_xmm_xmm_xmmm128, &Packed<Psubsb>);
        Both(Code.VEX_Vpsubsw_xmm_xmm_xmmm128, &Packed<Psubsw>);
        Both(Code.VEX_Vpsubusb_xmm_xmm_xmmm128, &Packed<Psubusb>);
        Both(Code.VEX_Vpsubusw_xmm_xmm_xmmm128, &Packed<Psubusw>);
        Both(Code.VEX_Vpavgb_xmm_xmm_xmmm128, &Packed<Pavgb>);
        Both(Code.VEX_Vpavgw_xmm_xmm_xmmm128, &Packed<Pavgw>);
        Both(Code.VEX_Vpminub_xmm_xmm_xmmm128, &Packed<Pminub>);
        Both(Code.VEX_Vpmaxub_xmm_xmm_xmmm128, &Packed<Pmaxub>);
        Both(Code.VEX_Vpminsw_xmm_xmm_xmmm128, &Packed<Pminsw>);
        Both(Code.VEX_Vpmaxsw_xmm_xmm_xmmm128, &Packed<Pmaxsw>);
        Both(Code.VEX_Vpminsb_xmm_xmm_xmmm128, &Packed<Pminsb>);
        Both(Code.VEX_Vpmaxsb_xmm_xmm_xmmm128, &Packed<Pmaxsb>);
        Both(Code.VEX_Vpminsd_xmm_xmm_xmmm128, &Packed<Pminsd>);
        Both(Code.VEX_Vpmaxsd_xmm_xmm_xmmm128, &Packed<Pmaxsd>);
        Both(Code.VEX_Vpminuw_xmm_xmm_xmmm128, &Packed<Pminuw>);
        Both(Code.VEX_Vpmaxuw_xmm_xmm_xmmm128, &Packed<Pmaxuw>);
        Both(Code.VEX_Vpminud_xmm_xmm_xmmm128, &Packed<Pminud>);
        Both(Code.VEX_Vpmaxud_xmm_xmm_xmmm128, &Packed<Pmaxud>);
        Both(Code.VEX_Vpmullw_xmm_xmm_xmmm128, &Packed<Pmullw>);
        Both(Code.VEX_Vpmulld_xmm_xmm_xmmm128, &Packed<Pmulld>);
        Both(Code.VEX_Vpmulhw_xmm_xmm_xmmm128, &PackedCall<Pmulhw>);
        Both(Code.VEX_Vpmulhuw_xmm_xmm_xmmm128, &PackedCall<Pmulhuw>);
        Both(Code.VEX_Vpmulhrsw_xmm_xmm_xmmm128, &PackedCall<Pmulhrsw>);
        Both(Code.VEX_Vpmuludq_xmm_xmm_xmmm128, &PackedCall<Pmuludq>);
        Both(Code.VEX_Vpmuldq_xmm_xmm_xmmm128, &PackedCall<Pmuldq>);
        Both(Code.VEX_Vpmaddwd_xmm_xmm_xmmm128, &PackedCall<Pmaddwd>);
        Both(Code.VEX_Vpmaddubsw_xmm_xmm_xmmm128, &PackedCall<Pmaddubsw>);
        Both(Code.VEX_Vpsadbw_xmm_xmm_xmmm128, &PackedCall<Psadbw>);
        Both(Code.VEX_Vpsignb_xmm_xmm_xmmm128, &PackedCall<Psignb>);
        Both(Code.VEX_Vpsignw_xmm_xmm_xmmm128, &PackedCall<Psignw>);
        Both(Code.VEX_Vpsignd_xmm_xmm_xmmm128, &PackedCall<Psignd>);
        Both(Code.VEX_Vphaddw_xmm_xmm_xmmm128, &PackedCall<Phaddw>);
        Both(Code.VEX_Vphaddd_xmm_xmm_xmmm128, &PackedCall<Phaddd>);
        Both(Code.VEX_Vphaddsw_xmm_xmm_xmmm128, &PackedCall<Phaddsw>);
        Both(Code.VEX_Vphsubw_xmm_xmm_xmmm128, &PackedCall<Phsubw>);
        Both(Code.VEX_Vphsubd_xmm_xmm_xmmm128, &PackedCall<Phsubd>);
        Both(Code.VEX_Vphsubsw_xmm_xmm_xmmm128, &PackedCall<Phsubsw>);
        Both(Code.VEX_Vpabsb_xmm_xmmm128, &Packed<Pabsb>);
        Both(Code.VEX_Vpabsw_xmm_xmmm128, &Packed<Pabsw>);
        Both(Code.VEX_Vpabsd_xmm_xmmm128, &Packed<Pabsd>);
        Narrow(Code.VEX_Vphminposuw_xmm_xmmm128, &Plain<VexPackedCall<Phminposuw, Width128>>);
        Both(Code.VEX_Vmpsadbw_xmm_xmm_xmmm128_imm8, &Immediate<Mpsadbw>);
    }

    private void AddLogic()
    {
        Both(Code.VEX_Vpand_xmm_xmm_xmmm128, &Packed<Pand>);
        Both(Code.VEX_Vandps_xmm_xmm_xmmm128, &Packed<Pand>);
        Both(Code.VEX_Vandpd_xmm_xmm_xmmm128, &Packed<Pand>);
        Both(Code.VEX_Vpandn_xmm_xmm_xmmm128, &Packed<Pandn>);
        Both(Code.VEX_Vandnps_xmm_xmm_xmmm128, &Packed<Pandn>);
        Both(Code.VEX_Vandnpd_xmm_xmm_xmmm128, &Packed<Pandn>);
        Both(Code.VEX_Vpor_xmm_xmm_xmmm128, &Packed<Por>);
        Both(Code.VEX_Vorps_xmm_xmm_xmmm128, &Packed<Por>);
        Both(Code.VEX_Vorpd_xmm_xmm_xmmm128, &Packed<Por>);
        Both(Code.VEX_Vpxor_xmm_xmm_xmmm128, &Packed<Pxor>);
        Both(Code.VEX_Vxorps_xmm_xmm_xmmm128, &Packed<Pxor>);
        Both(Code.VEX_Vxorpd_xmm_xmm_xmmm128, &Packed<Pxor>);
        Both(Code.VEX_Vpcmpeqb_xmm_xmm_xmmm128, &Packed<Pcmpeqb>);
        Both(Code.VEX_Vpcmpeqw_xmm_xmm_xmmm128, &Packed<Pcmpeqw>);
        Both(Code.VEX_Vpcmpeqd_xmm_xmm_xmmm128, &Packed<Pcmpeqd>);
        Both(Code.VEX_Vpcmpeqq_xmm_xmm_xmmm128, &Packed<Pcmpeqq>);
        Both(Code.VEX_Vpcmpgtb_xmm_xmm_xmmm128, &Packed<Pcmpgtb>);
        Both(Code.VEX_Vpcmpgtw_xmm_xmm_xmmm128, &Packed<Pcmpgtw>);
        Both(Code.VEX_Vpcmpgtd_xmm_xmm_xmmm128, &Packed<Pcmpgtd>);
        Both(Code.VEX_Vpcmpgtq_xmm_xmm_xmmm128, &Packed<Pcmpgtq>);
        Both(Code.VEX_Vblendps_xmm_xmm_xmmm128_imm8, &Immediate<Blendps>);
        Both(Code.VEX_Vpblendd_xmm_xmm_xmmm128_imm8, &Immediate<Blendps>);
        Both(Code.VEX_Vblendpd_xmm_xmm_xmmm128_imm8, &Immediate<Blendpd>);
        Both(Code.VEX_Vpblendw_xmm_xmm_xmmm128_imm8, &Immediate<Pblendw>);
        Both(Code.VEX_Vpblendvb_xmm_xmm_xmmm128_xmm, &Plain<VexBlend<sbyte, Width128>, VexBlend<sbyte, Width256>>);
        Both(Code.VEX_Vblendvps_xmm_xmm_xmmm128_xmm, &Plain<VexBlend<int, Width128>, VexBlend<int, Width256>>);
        Both(Code.VEX_Vblendvpd_xmm_xmm_xmmm128_xmm, &Plain<VexBlend<long, Width128>, VexBlend<long, Width256>>);
        Both(Code.VEX_Vptest_xmm_xmmm128, &Plain<VexTest<AllBits, Width128>, VexTest<AllBits, Width256>>);
        Both(Code.VEX_Vtestps_xmm_xmmm128, &Plain<VexTest<SingleSigns, Width128>, VexTest<SingleSigns, Width256>>);
        Both(Code.VEX_Vtestpd_xmm_xmmm128, &Plain<VexTest<DoubleSigns, Width128>, VexTest<DoubleSigns, Width256>>);
    }

    private void AddShifts()
    {
        Both(Code.VEX_Vpsllw_xmm_xmm_xmmm128, &Shift<Psllw>);
        Both(Code.VEX_Vpslld_xmm_xmm_xmmm128, &Shift<Pslld>);
        Both(Code.VEX_Vpsllq_xmm_xmm_xmmm128, &Shift<Psllq>);
        Both(Code.VEX_Vpsrlw_xmm_xmm_xmmm128, &Shift<Psrlw>);
        Both(Code.VEX_Vpsrld_xmm_xmm_xmmm128, &Shift<Psrld>);
        Both(Code.VEX_Vpsrlq_xmm_xmm_xmmm128, &Shift<Psrlq>);
        Both(Code.VEX_Vpsraw_xmm_xmm_xmmm128, &Shift<Psraw>);
        Both(Code.VEX_Vpsrad_xmm_xmm_xmmm128, &Shift<Psrad>);
        Both(Code.VEX_Vpsllw_xmm_xmm_imm8, &ShiftImmediate<Psllw>);
        Both(Code.VEX_Vpslld_xmm_xmm_imm8, &ShiftImmediate<Pslld>);
        Both(Code.VEX_Vpsllq_xmm_xmm_imm8, &ShiftImmediate<Psllq>);
        Both(Code.VEX_Vpsrlw_xmm_xmm_imm8, &ShiftImmediate<Psrlw>);
        Both(Code.VEX_Vpsrld_xmm_xmm_imm8, &ShiftImmediate<Psrld>);
        Both(Code.VEX_Vpsrlq_xmm_xmm_imm8, &ShiftImmediate<Psrlq>);
        Both(Code.VEX_Vpsraw_xmm_xmm_imm8, &ShiftImmediate<Psraw>);
        Both(Code.VEX_Vpsrad_xmm_xmm_imm8, &ShiftImmediate<Psrad>);
        Both(Code.VEX_Vpslldq_xmm_xmm_imm8, &ShiftImmediate<Pslldq>);
        Both(Code.VEX_Vpsrldq_xmm_xmm_imm8, &ShiftImmediate<Psrldq>);
        Both(Code.VEX_Vpsllvd_xmm_xmm_xmmm128, &PackedCall<Psllvd>);
        Both(Code.VEX_Vpsllvq_xmm_xmm_xmmm128, &PackedCall<Psllvq>);
        Both(Code.VEX_Vpsrlvd_xmm_xmm_xmmm128, &PackedCall<Psrlvd>);
        Both(Code.VEX_Vpsrlvq_xmm_xmm_xmmm128, &PackedCall<Psrlvq>);
        Both(Code.VEX_Vpsravd_xmm_xmm_xmmm128, &PackedCall<Psravd>);
    }
}
