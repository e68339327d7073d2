using System.Buffers.Binary;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// Moves in table form: the addresses and widths without a compact form, MOVBE, BSWAP, XLAT, conditional moves from memory.
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class MoveInstructions
{
    private static readonly Code[] s_moves =
    [
        Code.Mov_rm8_r8, Code.Mov_rm16_r16, Code.Mov_rm32_r32, Code.Mov_rm64_r64, Code.Mov_r8_rm8, Code.Mov_r16_rm16, Code.Mov_r32_rm32,
        Code.Mov_r64_rm64, Code.Mov_AL_moffs8, Code.Mov_AX_moffs16, Code.Mov_EAX_moffs32, Code.Mov_RAX_moffs64, Code.Mov_moffs8_AL,
        Code.Mov_moffs16_AX, Code.Mov_moffs32_EAX, Code.Mov_moffs64_RAX, Code.Mov_r8_imm8, Code.Mov_r16_imm16, Code.Mov_r32_imm32,
        Code.Mov_r64_imm64, Code.Mov_rm8_imm8, Code.Mov_rm16_imm16, Code.Mov_rm32_imm32, Code.Mov_rm64_imm32,
    ];

    public static void Register(InstructionTable table)
    {
        foreach (Code code in s_moves)
            table.Set(code, &Move);
        table.Set(Mnemonic.Movzx, &MoveZeroExtended);
        table.Set(Mnemonic.Movsx, &MoveSignExtended);
        table.Set(Mnemonic.Movsxd, &MoveSignExtended);
        table.Set(Mnemonic.Lea, &LoadEffectiveAddress);
        table.Set(Mnemonic.Bswap, &SwapBytes);
        table.Set(Mnemonic.Movbe, &MoveSwapped);
        table.Set(Mnemonic.Movnti, &Move);
        table.Set(Mnemonic.Xlatb, &Translate);
        for (Code code = Code.Cmovo_r16_rm16; code <= Code.Cmovg_r64_rm64; code++)
            table.Set(code, &ConditionalMove);
        for (Code code = Code.Seto_rm8; code <= Code.Setg_rm8; code++)
            table.Set(code, &SetByte);
        table.Set(Mnemonic.Prefetch, &Nothing);
        table.Set(Mnemonic.Prefetchw, &Nothing);
        table.Set(Mnemonic.Prefetchwt1, &Nothing);
    }

    private static Outcome Move(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, i->Op0Kind == OpKind.Register ? 0 : i->Op1Kind == OpKind.Register ? 1 : 0);
        return Operands.Read(cpu, i, 1, size, out ulong value) && Operands.Write(cpu, i, 0, size, value) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome MoveZeroExtended(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, TableOperand.Size(i, 1), out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    private static Outcome MoveSignExtended(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, 1);
        if (!Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, size switch { 1 => (ulong)(sbyte)value, 2 => (ulong)(short)value, _ => (ulong)(int)value });
        return Outcome.Next;
    }

    private static Outcome LoadEffectiveAddress(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        Operands.Set(s, i->Op0Register, Operands.EffectiveAddress(s, i));
        return Outcome.Next;
    }

    // With a 16-bit operand undefined; processors then clear the register.
    private static Outcome SwapBytes(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong value = Operands.Get(s, i->Op0Register);
        Operands.Set(s, i->Op0Register, i->Op0Register.GetSize() switch
        {
            2 => 0,
            4 => BinaryPrimitives.ReverseEndianness((uint)value),
            _ => BinaryPrimitives.ReverseEndianness(value),
        });
        return Outcome.Next;
    }

    private static Outcome MoveSwapped(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = TableOperand.Size(i, i->Op0Kind == OpKind.Register ? 0 : 1);
        if (!Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        value = BinaryPrimitives.ReverseEndianness(value) >> (64 - (size * 8));
        return Operands.Write(cpu, i, 0, size, value) ? Outcome.Next : cpu.Stopped;
    }

    // [seg:(E/R)BX + AL]: the assembler's library shows the base but leaves AL out.
    private static Outcome Translate(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong offset = s->General[3] + (byte)s->General[0];
        offset = i->MemoryBase.GetSize() switch { 2 => (ushort)offset, 4 => (uint)offset, _ => offset };
        if (!cpu.Linear(Operands.Segment(i->MemorySegment), offset, 1, false, out ulong linear) || !cpu.Read(linear, out byte value))
            return cpu.Stopped;
        *(byte*)&s->General[0] = value;
        return Outcome.Next;
    }

    private static Outcome ConditionalMove(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        // The load is made, and may fault, whatever the condition.
        if (!Operands.Read(cpu, i, 1, TableOperand.Size(i, 1), out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, ConditionTest.Holds(s, i->ConditionCode) ? value : Operands.Get(s, i->Op0Register));
        return Outcome.Next;
    }

    private static Outcome SetByte(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Write(cpu, i, 0, 1, ConditionTest.Holds(s, i->ConditionCode) ? 1UL : 0) ? Outcome.Next : cpu.Stopped;

    private static Outcome Nothing(ProcessorCore cpu, VcpuState* s, Instruction* i) => Outcome.Next;
}
