using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>DAA, DAS, AAA, AAS, AAM, AAD, SALC and BOUND: what only 16- and 32-bit code has (SDM Vol. 2A).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class DecimalInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Daa, &AdjustAdd);
        table.Set(Mnemonic.Das, &AdjustSubtract);
        table.Set(Mnemonic.Aaa, &AsciiAdd);
        table.Set(Mnemonic.Aas, &AsciiSubtract);
        table.Set(Mnemonic.Aam, &AsciiMultiply);
        table.Set(Mnemonic.Aad, &AsciiDivide);
        table.Set(Mnemonic.Salc, &SetFromCarry);
        table.Set(Mnemonic.Bound, &Bound);
    }

    private static void SetFlags(VcpuState* s, byte result, bool carry, bool adjust)
    {
        LazyFlags.RecordShift(s, result, carry ? 1u : 0, 0);
        if (adjust)
            s->FlagCarries |= 0x10;
    }

    private static Outcome AdjustAdd(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte old = (byte)s->General[0], al = old;
        bool oldCarry = LazyFlags.Carry(s) != 0, carry = false, adjust = (old & 15) > 9 || LazyFlags.Adjust(s) != 0;
        if (adjust)
        {
            carry = oldCarry || old > 0xF9;
            al += 6;
        }
        if (old > 0x99 || oldCarry)
        {
            al += 0x60;
            carry = true;
        }
        *(byte*)&s->General[0] = al;
        SetFlags(s, al, carry, adjust);
        return Outcome.Next;
    }

    private static Outcome AdjustSubtract(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte old = (byte)s->General[0], al = old;
        bool oldCarry = LazyFlags.Carry(s) != 0, carry = false, adjust = (old & 15) > 9 || LazyFlags.Adjust(s) != 0;
        if (adjust)
        {
            carry = oldCarry || old < 6;
            al -= 6;
        }
        if (old > 0x99 || oldCarry)
        {
            al -= 0x60;
            carry = true;
        }
        *(byte*)&s->General[0] = al;
        SetFlags(s, al, carry, adjust);
        return Outcome.Next;
    }

    private static Outcome AsciiAdd(ProcessorCore cpu, VcpuState* s, Instruction* i) => Ascii(s, 0x106);

    private static Outcome AsciiSubtract(ProcessorCore cpu, VcpuState* s, Instruction* i) => Ascii(s, -0x106);

    private static Outcome Ascii(VcpuState* s, int change)
    {
        ushort ax = (ushort)s->General[0];
        bool adjust = (ax & 15) > 9 || LazyFlags.Adjust(s) != 0;
        if (adjust)
            ax = (ushort)(ax + change);
        ax &= 0xFF0F;
        *(ushort*)&s->General[0] = ax;
        SetFlags(s, (byte)ax, adjust, adjust);
        return Outcome.Next;
    }

    private static Outcome AsciiMultiply(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte radix = i->Immediate8;
        if (radix == 0)
            return cpu.Raise(ExceptionVector.DivideError);
        byte al = (byte)s->General[0];
        *(ushort*)&s->General[0] = (ushort)(((al / radix) << 8) | (al % radix));
        SetFlags(s, (byte)(al % radix), false, false);
        return Outcome.Next;
    }

    private static Outcome AsciiDivide(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ushort ax = (ushort)s->General[0];
        byte al = (byte)(ax + ((ax >> 8) * i->Immediate8));
        *(ushort*)&s->General[0] = al;
        SetFlags(s, al, false, false);
        return Outcome.Next;
    }

    private static Outcome SetFromCarry(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        *(byte*)&s->General[0] = LazyFlags.Carry(s) != 0 ? (byte)0xFF : (byte)0;
        return Outcome.Next;
    }

    private static Outcome Bound(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Op0Register.GetSize();
        if (!Operands.Linear(cpu, i, size * 2, false, out ulong linear) || !Operands.ReadSized(cpu, linear, size, out ulong low)
            || !Operands.ReadSized(cpu, (linear + (ulong)size) & cpu.LinearMask, size, out ulong high))
            return cpu.Stopped;
        ulong value = Operands.Get(s, i->Op0Register);
        bool outside = size == 2 ? (short)value < (short)low || (short)value > (short)high : (int)value < (int)low
            || (int)value > (int)high;
        return outside ? cpu.Raise(ExceptionVector.BoundRange) : Outcome.Next;
    }
}
