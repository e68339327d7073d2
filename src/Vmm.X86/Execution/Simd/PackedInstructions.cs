using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Handlers for packed integer operations on XMM registers: one generic handler for each operand shape.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class PackedInstructions
{
    /// <summary>xmm, xmm/m128.</summary>
    public static Outcome Packed<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IPackedOperation
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        *d = TOperation.Apply(*d, source);
        return Outcome.Next;
    }

    /// <summary>xmm, xmm/m128, imm8.</summary>
    public static Outcome PackedImmediate<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IPackedImmediateOperation
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        *d = TOperation.Apply(*d, source, i->Immediate8);
        return Outcome.Next;
    }

    /// <summary>Shift by the low quadword of xmm/m128.</summary>
    public static Outcome Shift<TShift>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IPackedShift
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        *d = TShift.Apply(*d, source.AsUInt64()[0]);
        return Outcome.Next;
    }

    /// <summary>Shift by an immediate.</summary>
    public static Outcome ShiftImmediate<TShift>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IPackedShift
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        *d = TShift.Apply(*d, i->Immediate8);
        return Outcome.Next;
    }

    /// <summary>Registers the operations of SSE and SSE2.</summary>
    public static void Register(InstructionTable table)
    {
        RegisterArithmetic(table);
        RegisterLogic(table);
        RegisterFormat(table);
        RegisterShifts(table);
    }

    private static void RegisterArithmetic(InstructionTable table)
    {
        table.Set(Code.Paddb_xmm_xmmm128, &Packed<Paddb>);
        table.Set(Code.Paddw_xmm_xmmm128, &Packed<Paddw>);
        table.Set(Code.Paddd_xmm_xmmm128, &Packed<Paddd>);
        table.Set(Code.Paddq_xmm_xmmm128, &Packed<Paddq>);
        table.Set(Code.Psubb_xmm_xmmm128, &Packed<Psubb>);
        table.Set(Code.Psubw_xmm_xmmm128, &Packed<Psubw>);
        table.Set(Code.Psubd_xmm_xmmm128, &Packed<Psubd>);
        table.Set(Code.Psubq_xmm_xmmm128, &Packed<Psubq>);
        table.Set(Code.Paddsb_xmm_xmmm128, &Packed<Paddsb>);
        table.Set(Code.Paddsw_xmm_xmmm128, &Packed<Paddsw>);
        table.Set(Code.Paddusb_xmm_xmmm128, &Packed<Paddusb>);
        table.Set(Code.Paddusw_xmm_xmmm128, &Packed<Paddusw>);
        table.Set(Code.Psubsb_xmm_xmmm128, &Packed<Psubsb>);
        table.Set(Code.Psubsw_xmm_xmmm128, &Packed<Psubsw>);
        table.Set(Code.Psubusb_xmm_xmmm128, &Packed<Psubusb>);
        table.Set(Code.Psubusw_xmm_xmmm128, &Packed<Psubusw>);
        table.Set(Code.Pavgb_xmm_xmmm128, &Packed<Pavgb>);
        table.Set(Code.Pavgw_xmm_xmmm128, &Packed<Pavgw>);
        table.Set(Code.Pminub_xmm_xmmm128, &Packed<Pminub>);
        table.Set(Code.Pmaxub_xmm_xmmm128, &Packed<Pmaxub>);
        table.Set(Code.Pminsw_xmm_xmmm128, &Packed<Pminsw>);
        table.Set(Code.Pmaxsw_xmm_xmmm128, &Packed<Pmaxsw>);
        table.Set(Code.Pmullw_xmm_xmmm128, &Packed<Pmullw>);
        table.Set(Code.Pmulhw_xmm_xmmm128, &Packed<Pmulhw>);
        table.Set(Code.Pmulhuw_xmm_xmmm128, &Packed<Pmulhuw>);
        table.Set(Code.Pmuludq_xmm_xmmm128, &Packed<Pmuludq>);
        table.Set(Code.Pmaddwd_xmm_xmmm128, &Packed<Pmaddwd>);
        table.Set(Code.Psadbw_xmm_xmmm128, &Packed<Psadbw>);
    }

    private static void RegisterLogic(InstructionTable table)
    {
        table.Set(Code.Pand_xmm_xmmm128, &Packed<Pand>);
        table.Set(Code.Andps_xmm_xmmm128, &Packed<Pand>);
        table.Set(Code.Andpd_xmm_xmmm128, &Packed<Pand>);
        table.Set(Code.Pandn_xmm_xmmm128, &Packed<Pandn>);
        table.Set(Code.Andnps_xmm_xmmm128, &Packed<Pandn>);
        table.Set(Code.Andnpd_xmm_xmmm128, &Packed<Pandn>);
        table.Set(Code.Por_xmm_xmmm128, &Packed<Por>);
        table.Set(Code.Orps_xmm_xmmm128, &Packed<Por>);
        table.Set(Code.Orpd_xmm_xmmm128, &Packed<Por>);
        table.Set(Code.Pxor_xmm_xmmm128, &Packed<Pxor>);
        table.Set(Code.Xorps_xmm_xmmm128, &Packed<Pxor>);
        table.Set(Code.Xorpd_xmm_xmmm128, &Packed<Pxor>);
        table.Set(Code.Pcmpeqb_xmm_xmmm128, &Packed<Pcmpeqb>);
        table.Set(Code.Pcmpeqw_xmm_xmmm128, &Packed<Pcmpeqw>);
        table.Set(Code.Pcmpeqd_xmm_xmmm128, &Packed<Pcmpeqd>);
        table.Set(Code.Pcmpgtb_xmm_xmmm128, &Packed<Pcmpgtb>);
        table.Set(Code.Pcmpgtw_xmm_xmmm128, &Packed<Pcmpgtw>);
        table.Set(Code.Pcmpgtd_xmm_xmmm128, &Packed<Pcmpgtd>);
    }

    private static void RegisterFormat(InstructionTable table)
    {
        table.Set(Code.Packsswb_xmm_xmmm128, &Packed<Packsswb>);
        table.Set(Code.Packssdw_xmm_xmmm128, &Packed<Packssdw>);
        table.Set(Code.Packuswb_xmm_xmmm128, &Packed<Packuswb>);
        table.Set(Code.Punpcklbw_xmm_xmmm128, &Packed<Punpcklbw>);
        table.Set(Code.Punpcklwd_xmm_xmmm128, &Packed<Punpcklwd>);
        table.Set(Code.Punpckldq_xmm_xmmm128, &Packed<Punpckldq>);
        table.Set(Code.Punpcklqdq_xmm_xmmm128, &Packed<Punpcklqdq>);
        table.Set(Code.Punpckhbw_xmm_xmmm128, &Packed<Punpckhbw>);
        table.Set(Code.Punpckhwd_xmm_xmmm128, &Packed<Punpckhwd>);
        table.Set(Code.Punpckhdq_xmm_xmmm128, &Packed<Punpckhdq>);
        table.Set(Code.Punpckhqdq_xmm_xmmm128, &Packed<Punpckhqdq>);
        table.Set(Code.Unpcklps_xmm_xmmm128, &Packed<Punpckldq>);
        table.Set(Code.Unpcklpd_xmm_xmmm128, &Packed<Punpcklqdq>);
        table.Set(Code.Unpckhps_xmm_xmmm128, &Packed<Punpckhdq>);
        table.Set(Code.Unpckhpd_xmm_xmmm128, &Packed<Punpckhqdq>);
        table.Set(Code.Pshufd_xmm_xmmm128_imm8, &PackedImmediate<Pshufd>);
        table.Set(Code.Pshuflw_xmm_xmmm128_imm8, &PackedImmediate<Pshuflw>);
        table.Set(Code.Pshufhw_xmm_xmmm128_imm8, &PackedImmediate<Pshufhw>);
        table.Set(Code.Shufps_xmm_xmmm128_imm8, &PackedImmediate<Shufps>);
        table.Set(Code.Shufpd_xmm_xmmm128_imm8, &PackedImmediate<Shufpd>);
    }

    private static void RegisterShifts(InstructionTable table)
    {
        table.Set(Code.Psllw_xmm_xmmm128, &Shift<Psllw>);
        table.Set(Code.Pslld_xmm_xmmm128, &Shift<Pslld>);
        table.Set(Code.Psllq_xmm_xmmm128, &Shift<Psllq>);
        table.Set(Code.Psrlw_xmm_xmmm128, &Shift<Psrlw>);
        table.Set(Code.Psrld_xmm_xmmm128, &Shift<Psrld>);
        table.Set(Code.Psrlq_xmm_xmmm128, &Shift<Psrlq>);
        table.Set(Code.Psraw_xmm_xmmm128, &Shift<Psraw>);
        table.Set(Code.Psrad_xmm_xmmm128, &Shift<Psrad>);
        table.Set(Code.Psllw_xmm_imm8, &ShiftImmediate<Psllw>);
        table.Set(Code.Pslld_xmm_imm8, &ShiftImmediate<Pslld>);
        table.Set(Code.Psllq_xmm_imm8, &ShiftImmediate<Psllq>);
        table.Set(Code.Psrlw_xmm_imm8, &ShiftImmediate<Psrlw>);
        table.Set(Code.Psrld_xmm_imm8, &ShiftImmediate<Psrld>);
        table.Set(Code.Psrlq_xmm_imm8, &ShiftImmediate<Psrlq>);
        table.Set(Code.Psraw_xmm_imm8, &ShiftImmediate<Psraw>);
        table.Set(Code.Psrad_xmm_imm8, &ShiftImmediate<Psrad>);
        table.Set(Code.Pslldq_xmm_imm8, &ShiftImmediate<Pslldq>);
        table.Set(Code.Psrldq_xmm_imm8, &ShiftImmediate<Psrldq>);
    }
}
