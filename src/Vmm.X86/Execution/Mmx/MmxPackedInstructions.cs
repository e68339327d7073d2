using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Packed operations on MMX registers, made from those on XMM registers.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class MmxPackedInstructions
{
    private static Outcome Packed<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IMmxOperation
    {
        if (!MmxOperands.Available(cpu, s) || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, TOperation.Apply(*MmxOperands.Mm(s, i->Op0Register), source));
        return Outcome.Next;
    }

    // The low unpacks read only four bytes of memory.
    private static Outcome UnpackLow<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IPackedOperation
    {
        if (!MmxOperands.Available(cpu, s) || !MmxOperands.Source(cpu, s, i, 1, 4, out ulong source))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, Lanewise<TOperation>.Apply(*MmxOperands.Mm(s, i->Op0Register), source));
        return Outcome.Next;
    }

    private static Outcome PackedImmediate<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IMmxImmediateOperation
    {
        if (!MmxOperands.Available(cpu, s) || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, TOperation.Apply(*MmxOperands.Mm(s, i->Op0Register), source, i->Immediate8));
        return Outcome.Next;
    }

    private static Outcome Shift<TShift>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IPackedShift
    {
        if (!MmxOperands.Available(cpu, s) || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong count))
            return cpu.Stopped;
        return ShiftBy<TShift>(s, i, count);
    }

    private static Outcome ShiftImmediate<TShift>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TShift : struct, IPackedShift => MmxOperands.Available(cpu, s) ? ShiftBy<TShift>(s, i, i->Immediate8) : cpu.Stopped;

    private static Outcome ShiftBy<TShift>(VcpuState* s, Instruction* i, ulong count)
        where TShift : struct, IPackedShift
    {
        Vector128<byte> value = Vector128.CreateScalar(*MmxOperands.Mm(s, i->Op0Register)).AsByte();
        MmxOperands.Set(s, i->Op0Register, TShift.Apply(value, count).AsUInt64().ToScalar());
        return Outcome.Next;
    }

    public static void Register(InstructionTable table)
    {
        RegisterLanewise(table);
        RegisterFormat(table);
        RegisterShifts(table);
        RegisterSsse3(table);
    }

    private static void RegisterLanewise(InstructionTable table)
    {
        table.Set(Code.Paddb_mm_mmm64, &Packed<Lanewise<Paddb>>);
        table.Set(Code.Paddw_mm_mmm64, &Packed<Lanewise<Paddw>>);
        table.Set(Code.Paddd_mm_mmm64, &Packed<Lanewise<Paddd>>);
        table.Set(Code.Paddq_mm_mmm64, &Packed<Lanewise<Paddq>>);
        table.Set(Code.Psubb_mm_mmm64, &Packed<Lanewise<Psubb>>);
        table.Set(Code.Psubw_mm_mmm64, &Packed<Lanewise<Psubw>>);
        table.Set(Code.Psubd_mm_mmm64, &Packed<Lanewise<Psubd>>);
        table.Set(Code.Psubq_mm_mmm64, &Packed<Lanewise<Psubq>>);
        table.Set(Code.Paddsb_mm_mmm64, &Packed<Lanewise<Paddsb>>);
        table.Set(Code.Paddsw_mm_mmm64, &Packed<Lanewise<Paddsw>>);
        table.Set(Code.Paddusb_mm_mmm64, &Packed<Lanewise<Paddusb>>);
        table.Set(Code.Paddusw_mm_mmm64, &Packed<Lanewise<Paddusw>>);
        table.Set(Code.Psubsb_mm_mmm64, &Packed<Lanewise<Psubsb>>);
        table.Set(Code.Psubsw_mm_mmm64, &Packed<Lanewise<Psubsw>>);
        table.Set(Code.Psubusb_mm_mmm64, &Packed<Lanewise<Psubusb>>);
        table.Set(Code.Psubusw_mm_mmm64, &Packed<Lanewise<Psubusw>>);
        table.Set(Code.Pavgb_mm_mmm64, &Packed<Lanewise<Pavgb>>);
        table.Set(Code.Pavgw_mm_mmm64, &Packed<Lanewise<Pavgw>>);
        table.Set(Code.Pminub_mm_mmm64, &Packed<Lanewise<Pminub>>);
        table.Set(Code.Pmaxub_mm_mmm64, &Packed<Lanewise<Pmaxub>>);
        table.Set(Code.Pminsw_mm_mmm64, &Packed<Lanewise<Pminsw>>);
        table.Set(Code.Pmaxsw_mm_mmm64, &Packed<Lanewise<Pmaxsw>>);
        table.Set(Code.Pmullw_mm_mmm64, &Packed<Lanewise<Pmullw>>);
        table.Set(Code.Pmulhw_mm_mmm64, &Packed<Lanewise<Pmulhw>>);
        table.Set(Code.Pmulhuw_mm_mmm64, &Packed<Lanewise<Pmulhuw>>);
        table.Set(Code.Pmuludq_mm_mmm64, &Packed<Lanewise<Pmuludq>>);
        table.Set(Code.Pmaddwd_mm_mmm64, &Packed<Lanewise<Pmaddwd>>);
        table.Set(Code.Psadbw_mm_mmm64, &Packed<Lanewise<Psadbw>>);
        table.Set(Code.Pand_mm_mmm64, &Packed<Lanewise<Pand>>);
        table.Set(Code.Pandn_mm_mmm64, &Packed<Lanewise<Pandn>>);
        table.Set(Code.Por_mm_mmm64, &Packed<Lanewise<Por>>);
        table.Set(Code.Pxor_mm_mmm64, &Packed<Lanewise<Pxor>>);
        table.Set(Code.Pcmpeqb_mm_mmm64, &Packed<Lanewise<Pcmpeqb>>);
        table.Set(Code.Pcmpeqw_mm_mmm64, &Packed<Lanewise<Pcmpeqw>>);
        table.Set(Code.Pcmpeqd_mm_mmm64, &Packed<Lanewise<Pcmpeqd>>);
        table.Set(Code.Pcmpgtb_mm_mmm64, &Packed<Lanewise<Pcmpgtb>>);
        table.Set(Code.Pcmpgtw_mm_mmm64, &Packed<Lanewise<Pcmpgtw>>);
        table.Set(Code.Pcmpgtd_mm_mmm64, &Packed<Lanewise<Pcmpgtd>>);
    }

    private static void RegisterFormat(InstructionTable table)
    {
        table.Set(Code.Packsswb_mm_mmm64, &Packed<Joined<Packsswb>>);
        table.Set(Code.Packssdw_mm_mmm64, &Packed<Joined<Packssdw>>);
        table.Set(Code.Packuswb_mm_mmm64, &Packed<Joined<Packuswb>>);
        table.Set(Code.Punpcklbw_mm_mmm32, &UnpackLow<Punpcklbw>);
        table.Set(Code.Punpckhbw_mm_mmm64, &Packed<UpperHalf<Punpcklbw>>);
        table.Set(Code.Punpcklwd_mm_mmm32, &UnpackLow<Punpcklwd>);
        table.Set(Code.Punpckhwd_mm_mmm64, &Packed<UpperHalf<Punpcklwd>>);
        table.Set(Code.Punpckldq_mm_mmm32, &UnpackLow<Punpckldq>);
        table.Set(Code.Punpckhdq_mm_mmm64, &Packed<UpperHalf<Punpckldq>>);
        table.Set(Code.Pshufw_mm_mmm64_imm8, &PackedImmediate<ShuffleWords>);
    }

    private static void RegisterShifts(InstructionTable table)
    {
        table.Set(Code.Psllw_mm_mmm64, &Shift<Psllw>);
        table.Set(Code.Psllw_mm_imm8, &ShiftImmediate<Psllw>);
        table.Set(Code.Pslld_mm_mmm64, &Shift<Pslld>);
        table.Set(Code.Pslld_mm_imm8, &ShiftImmediate<Pslld>);
        table.Set(Code.Psllq_mm_mmm64, &Shift<Psllq>);
        table.Set(Code.Psllq_mm_imm8, &ShiftImmediate<Psllq>);
        table.Set(Code.Psrlw_mm_mmm64, &Shift<Psrlw>);
        table.Set(Code.Psrlw_mm_imm8, &ShiftImmediate<Psrlw>);
        table.Set(Code.Psrld_mm_mmm64, &Shift<Psrld>);
        table.Set(Code.Psrld_mm_imm8, &ShiftImmediate<Psrld>);
        table.Set(Code.Psrlq_mm_mmm64, &Shift<Psrlq>);
        table.Set(Code.Psrlq_mm_imm8, &ShiftImmediate<Psrlq>);
        table.Set(Code.Psraw_mm_mmm64, &Shift<Psraw>);
        table.Set(Code.Psraw_mm_imm8, &ShiftImmediate<Psraw>);
        table.Set(Code.Psrad_mm_mmm64, &Shift<Psrad>);
        table.Set(Code.Psrad_mm_imm8, &ShiftImmediate<Psrad>);
    }

    private static void RegisterSsse3(InstructionTable table)
    {
        table.Set(Code.Pmaddubsw_mm_mmm64, &Packed<Lanewise<Pmaddubsw>>);
        table.Set(Code.Pmulhrsw_mm_mmm64, &Packed<Lanewise<Pmulhrsw>>);
        table.Set(Code.Psignb_mm_mmm64, &Packed<Lanewise<Psignb>>);
        table.Set(Code.Psignw_mm_mmm64, &Packed<Lanewise<Psignw>>);
        table.Set(Code.Psignd_mm_mmm64, &Packed<Lanewise<Psignd>>);
        table.Set(Code.Pabsb_mm_mmm64, &Packed<Lanewise<Pabsb>>);
        table.Set(Code.Pabsw_mm_mmm64, &Packed<Lanewise<Pabsw>>);
        table.Set(Code.Pabsd_mm_mmm64, &Packed<Lanewise<Pabsd>>);
        table.Set(Code.Phaddw_mm_mmm64, &Packed<Joined<Phaddw>>);
        table.Set(Code.Phaddd_mm_mmm64, &Packed<Joined<Phaddd>>);
        table.Set(Code.Phaddsw_mm_mmm64, &Packed<Joined<Phaddsw>>);
        table.Set(Code.Phsubw_mm_mmm64, &Packed<Joined<Phsubw>>);
        table.Set(Code.Phsubd_mm_mmm64, &Packed<Joined<Phsubd>>);
        table.Set(Code.Phsubsw_mm_mmm64, &Packed<Joined<Phsubsw>>);
        table.Set(Code.Pshufb_mm_mmm64, &Packed<ShuffleBytes>);
        table.Set(Code.Palignr_mm_mmm64_imm8, &PackedImmediate<AlignRight>);
    }
}
