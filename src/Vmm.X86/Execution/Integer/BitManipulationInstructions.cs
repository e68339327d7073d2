using System.Numerics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// The VEX-encoded general-register instructions of BMI1 and BMI2 (SDM Vol. 2). Flags that the manual leaves undefined are those of a
/// logical result: AF clear, PF of the result.
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class BitManipulationInstructions
{
    public static void Register(InstructionTable table)
    {
        table.SetVex(Mnemonic.Andn, &AndNot);
        table.SetVex(Mnemonic.Bextr, &ExtractField);
        table.SetVex(Mnemonic.Blsi, &IsolateLowest);
        table.SetVex(Mnemonic.Blsmsk, &MaskToLowest);
        table.SetVex(Mnemonic.Blsr, &ResetLowest);
        table.SetVex(Mnemonic.Bzhi, &ZeroHigh);
        table.SetVex(Mnemonic.Mulx, &MultiplyWithoutFlags);
        table.SetVex(Mnemonic.Pdep, &Deposit);
        table.SetVex(Mnemonic.Pext, &Extract);
        table.SetVex(Mnemonic.Rorx, &RotateWithoutFlags);
        table.SetVex(Mnemonic.Sarx, &ShiftArithmeticWithoutFlags);
        table.SetVex(Mnemonic.Shlx, &ShiftLeftWithoutFlags);
        table.SetVex(Mnemonic.Shrx, &ShiftRightWithoutFlags);
    }

    private static int Bytes(Instruction* i) => i->Op0Register.GetSize();

    private static Outcome Finish(VcpuState* s, Instruction* i, ulong result, bool carry)
    {
        Operands.Set(s, i->Op0Register, result);
        if (Bytes(i) == 4)
            LazyFlags.RecordShift(s, (uint)result, carry ? 1u : 0, 0);
        else
            LazyFlags.RecordShift(s, result, carry ? 1u : 0, 0);
        return Outcome.Next;
    }

    private static Outcome AndNot(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 2, Bytes(i), out ulong value)
            ? Finish(s, i, ~Operands.Get(s, i->Op1Register) & value, false)
            : cpu.Stopped;

    // Start and length come from bits 7:0 and 15:8 of the last operand; what lies past the source is zero.
    private static Outcome ExtractField(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, Bytes(i), out ulong value))
            return cpu.Stopped;
        ulong control = Operands.Get(s, i->Op2Register);
        int start = (byte)control, length = (byte)(control >> 8);
        ulong result = start >= 64 ? 0 : value >> start;
        if (length < 64)
            result &= (1UL << length) - 1;
        return Finish(s, i, result, false);
    }

    private static Outcome IsolateLowest(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 1, Bytes(i), out ulong value) ? Finish(s, i, value & (0 - value), value != 0) : cpu.Stopped;

    private static Outcome MaskToLowest(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 1, Bytes(i), out ulong value) ? Finish(s, i, value ^ (value - 1), value == 0) : cpu.Stopped;

    private static Outcome ResetLowest(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 1, Bytes(i), out ulong value) ? Finish(s, i, value & (value - 1), value == 0) : cpu.Stopped;

    private static Outcome ZeroHigh(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, Bytes(i), out ulong value))
            return cpu.Stopped;
        int first = (byte)Operands.Get(s, i->Op2Register);
        bool beyond = first >= Bytes(i) * 8;
        return Finish(s, i, beyond ? value : value & ((1UL << first) - 1), beyond);
    }

    // Where both destinations are one register, it holds the high half.
    private static Outcome MultiplyWithoutFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 2, Bytes(i), out ulong value))
            return cpu.Stopped;
        ulong high, low;
        if (Bytes(i) == 4)
        {
            low = (uint)s->General[2] * value;
            high = low >> 32;
        }
        else
        {
            high = Math.BigMul(s->General[2], value, out low);
        }
        Operands.Set(s, i->Op1Register, low);
        Operands.Set(s, i->Op0Register, high);
        return Outcome.Next;
    }

    private static Outcome Deposit(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 2, Bytes(i), out ulong mask))
            return cpu.Stopped;
        ulong source = Operands.Get(s, i->Op1Register), result = 0;
        for (; mask != 0; mask &= mask - 1, source >>= 1)
            result |= (mask & (0 - mask)) & (0 - (source & 1));
        Operands.Set(s, i->Op0Register, result);
        return Outcome.Next;
    }

    private static Outcome Extract(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 2, Bytes(i), out ulong mask))
            return cpu.Stopped;
        ulong source = Operands.Get(s, i->Op1Register), result = 0;
        for (int bit = 0; mask != 0; mask &= mask - 1, bit++)
            result |= ((source >> BitOperations.TrailingZeroCount(mask)) & 1) << bit;
        Operands.Set(s, i->Op0Register, result);
        return Outcome.Next;
    }

    private static Outcome RotateWithoutFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Operands.Read(cpu, i, 1, Bytes(i), out ulong value))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, Bytes(i) == 4
            ? BitOperations.RotateRight((uint)value, i->Immediate8)
            : BitOperations.RotateRight(value, i->Immediate8));
        return Outcome.Next;
    }

    private static bool ShiftOperands(ProcessorCore cpu, VcpuState* s, Instruction* i, out ulong value, out int count)
    {
        count = (int)Operands.Get(s, i->Op2Register) & ((Bytes(i) * 8) - 1);
        return Operands.Read(cpu, i, 1, Bytes(i), out value);
    }

    private static Outcome ShiftArithmeticWithoutFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!ShiftOperands(cpu, s, i, out ulong value, out int count))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, Bytes(i) == 4 ? (uint)((int)value >> count) : (ulong)((long)value >> count));
        return Outcome.Next;
    }

    private static Outcome ShiftLeftWithoutFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!ShiftOperands(cpu, s, i, out ulong value, out int count))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, value << count);
        return Outcome.Next;
    }

    private static Outcome ShiftRightWithoutFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!ShiftOperands(cpu, s, i, out ulong value, out int count))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, value >> count);
        return Outcome.Next;
    }
}
