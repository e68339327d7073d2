using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>IN, OUT, INS, OUTS (SDM Vol. 2): string forms do one element an instruction start.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class PortInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.In, &In);
        table.Set(Mnemonic.Out, &Out);
        table.Set(Mnemonic.Insb, &InString);
        table.Set(Mnemonic.Insw, &InString);
        table.Set(Mnemonic.Insd, &InString);
        table.Set(Mnemonic.Outsb, &OutString);
        table.Set(Mnemonic.Outsw, &OutString);
        table.Set(Mnemonic.Outsd, &OutString);
    }

    private static ushort Port(VcpuState* s, Instruction* i, int operand) =>
        i->GetOpKind(operand) == OpKind.Register ? (ushort)s->General[2] : i->Immediate8;

    private static Outcome In(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ushort port = Port(s, i, 1);
        int size = i->Op0Register.GetSize();
        if (!cpu.CheckPort(port, size) || !cpu.ReadPort(port, size, false, out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, value & (ulong.MaxValue >> (64 - (8 * size))));
        return Outcome.Next;
    }

    private static Outcome Out(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ushort port = Port(s, i, 0);
        int size = i->Op1Register.GetSize();
        return cpu.CheckPort(port, size) && cpu.WritePort(port, size, false, Operands.Get(s, i->Op1Register)) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome InString(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Mnemonic switch { Mnemonic.Insb => 1, Mnemonic.Insw => 2, _ => 4 };
        ulong mask = AddressMask(i->Op0Kind switch { OpKind.MemoryESDI => 2, OpKind.MemoryESEDI => 4, _ => 8 });
        if (IsRepeated(i) && (s->General[1] & mask) == 0)
            return Outcome.Next;
        ushort port = (ushort)s->General[2];
        // Faults of the destination come before the port is read: a port read cannot be taken back.
        if (!cpu.CheckPort(port, size)
            || !cpu.Linear(SegmentIndex.Es, s->General[7] & mask, size, true, out ulong linear)
            || !cpu.ProbeWrite(linear, size)
            || !cpu.ReadPort(port, size, true, out ulong value)
            || !Operands.WriteSized(cpu, linear, size, value))
            return cpu.Stopped;
        return Advance(cpu, s, i, 7, size, mask);
    }

    private static Outcome OutString(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Mnemonic switch { Mnemonic.Outsb => 1, Mnemonic.Outsw => 2, _ => 4 };
        ulong mask = AddressMask(i->Op1Kind switch { OpKind.MemorySegSI => 2, OpKind.MemorySegESI => 4, _ => 8 });
        if (IsRepeated(i) && (s->General[1] & mask) == 0)
            return Outcome.Next;
        ushort port = (ushort)s->General[2];
        if (!cpu.CheckPort(port, size)
            || !cpu.Linear(Operands.Segment(i->MemorySegment), s->General[6] & mask, size, false, out ulong linear)
            || !Operands.ReadSized(cpu, linear, size, out ulong value)
            || !cpu.WritePort(port, size, true, value))
            return cpu.Stopped;
        return Advance(cpu, s, i, 6, size, mask);
    }

    private static bool IsRepeated(Instruction* i) => i->HasRepPrefix || i->HasRepnePrefix;

    private static ulong AddressMask(int size) => size == 2 ? 0xFFFF : size == 4 ? uint.MaxValue : ulong.MaxValue;

    private static Outcome Advance(ProcessorCore cpu, VcpuState* s, Instruction* i, int index, int size, ulong mask)
    {
        long step = (s->FlagsSystem & LazyFlags.Df) != 0 ? -size : size;
        SetMasked(s, index, s->General[index] + (ulong)step, mask);
        if (!IsRepeated(i))
            return Outcome.Next;
        SetMasked(s, 1, s->General[1] - 1, mask);
        cpu.ClearAnswers();
        return (s->General[1] & mask) == 0 ? Outcome.Next : Outcome.Repeat;
    }

    private static void SetMasked(VcpuState* s, int index, ulong value, ulong mask) =>
        s->General[index] = mask == 0xFFFF ? (s->General[index] & ~0xFFFFUL) | (ushort)value : value & mask;
}
