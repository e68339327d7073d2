using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>AES-NI and PCLMULQDQ.</summary>
// SAFETY: only takes addresses of handlers.
internal static unsafe class CipherInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Aesenc_xmm_xmmm128, &PackedInstructions.Packed<Aesenc>);
        table.Set(Code.Aesenclast_xmm_xmmm128, &PackedInstructions.Packed<Aesenclast>);
        table.Set(Code.Aesdec_xmm_xmmm128, &PackedInstructions.Packed<Aesdec>);
        table.Set(Code.Aesdeclast_xmm_xmmm128, &PackedInstructions.Packed<Aesdeclast>);
        table.Set(Code.Aesimc_xmm_xmmm128, &PackedInstructions.Packed<Aesimc>);
        table.Set(Code.Aeskeygenassist_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Aeskeygenassist>);
        table.Set(Code.Pclmulqdq_xmm_xmmm128_imm8, &PackedInstructions.PackedImmediate<Pclmulqdq>);
    }
}
