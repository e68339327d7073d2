using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class VexCatalog
{
    // Their 256-bit forms are features of their own (VAES, VPCLMULQDQ).
    private void AddCiphers()
    {
        Narrow(Code.VEX_Vaesenc_xmm_xmm_xmmm128, &Plain<VexPackedCall<Aesenc, Width128>>);
        Narrow(Code.VEX_Vaesenclast_xmm_xmm_xmmm128, &Plain<VexPackedCall<Aesenclast, Width128>>);
        Narrow(Code.VEX_Vaesdec_xmm_xmm_xmmm128, &Plain<VexPackedCall<Aesdec, Width128>>);
        Narrow(Code.VEX_Vaesdeclast_xmm_xmm_xmmm128, &Plain<VexPackedCall<Aesdeclast, Width128>>);
        Narrow(Code.VEX_Vaesimc_xmm_xmmm128, &Plain<VexPackedCall<Aesimc, Width128>>);
        Narrow(Code.VEX_Vaeskeygenassist_xmm_xmmm128_imm8, &Plain<VexPackedImmediate<Aeskeygenassist, Width128>>);
        Narrow(Code.VEX_Vpclmulqdq_xmm_xmm_xmmm128_imm8, &Plain<VexPackedImmediate<Pclmulqdq, Width128>>);
    }
}
