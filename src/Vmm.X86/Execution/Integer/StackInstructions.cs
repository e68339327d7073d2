using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>PUSH, POP, PUSHA, POPA, ENTER and LEAVE in every size.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class StackInstructions
{
    private static readonly Code[] s_pushes =
    [
        Code.Push_r16, Code.Push_r32, Code.Push_r64, Code.Push_rm16, Code.Push_rm32, Code.Push_rm64, Code.Push_imm16, Code.Pushd_imm32,
        Code.Pushq_imm32, Code.Pushw_imm8, Code.Pushd_imm8, Code.Pushq_imm8,
    ];

    private static readonly Code[] s_pops =
        [Code.Pop_r16, Code.Pop_r32, Code.Pop_r64, Code.Pop_rm16, Code.Pop_rm32, Code.Pop_rm64];

    public static void Register(InstructionTable table)
    {
        foreach (Code code in s_pushes)
            table.Set(code, &Push);
        foreach (Code code in s_pops)
            table.Set(code, &Pop);
        table.Set(Mnemonic.Pusha, &PushAll);
        table.Set(Mnemonic.Pushad, &PushAll);
        table.Set(Mnemonic.Popa, &PopAll);
        table.Set(Mnemonic.Popad, &PopAll);
        table.Set(Mnemonic.Enter, &Enter);
        table.Set(Mnemonic.Leave, &Leave);
    }

    private static ulong Load(byte* p, int size) => size switch { 2 => *(ushort*)p, 4 => *(uint*)p, _ => *(ulong*)p };

    private static Outcome Push(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = -i->StackPointerIncrement;
        return Operands.Read(cpu, i, 0, size, out ulong value) && cpu.StackPush(value, size) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Pop(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->StackPointerIncrement;
        byte* p = cpu.StackRead(0, size);
        if (p == null)
            return cpu.Stopped;
        ulong value = Load(p, size);
        ulong before = s->General[4];
        // An address based on the stack pointer, and POP into it, see it already moved.
        cpu.StackRelease((ulong)size);
        if (Operands.Write(cpu, i, 0, size, value))
            return Outcome.Next;
        s->General[4] = before;
        return cpu.Stopped;
    }

    private static Outcome PushAll(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Mnemonic == Mnemonic.Pusha ? 2 : 4;
        ulong before = s->General[4];
        for (int register = 0; register < 8; register++)
        {
            if (!cpu.StackPush(register == 4 ? before : s->General[register], size))
            {
                s->General[4] = before;
                return cpu.Stopped;
            }
        }
        return Outcome.Next;
    }

    private static Outcome PopAll(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Mnemonic == Mnemonic.Popa ? 2 : 4;
        ulong* values = stackalloc ulong[8];
        for (int slot = 0; slot < 8; slot++)
        {
            byte* p = cpu.StackRead(slot * size, size);
            if (p == null)
                return cpu.Stopped;
            values[7 - slot] = Load(p, size);
        }
        cpu.StackRelease((ulong)(8 * size));
        for (int register = 0; register < 8; register++)
        {
            if (register == 4)
                continue;
            if (size == 2)
                *(ushort*)&s->General[register] = (ushort)values[register];
            else
                s->General[register] = values[register];
        }
        return Outcome.Next;
    }

    // SDM Vol. 2A ENTER. Writes go below the stack pointer, so that stopping half-way and running again does no harm.
    private static Outcome Enter(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code switch { Code.Enterw_imm16_imm8 => 2, Code.Enterd_imm16_imm8 => 4, _ => 8 };
        int level = i->Immediate8_2nd & 31;
        ulong before = s->General[4];
        ulong oldFrame = s->General[5];
        if (!cpu.StackPush(oldFrame, size))
            return cpu.Stopped;
        ulong frame = s->General[4];
        for (int depth = 1; depth <= level; depth++)
        {
            ulong value = frame;
            if (depth < level)
            {
                byte* p = cpu.StackReadAt(oldFrame - (ulong)(depth * size), size);
                if (p == null)
                {
                    s->General[4] = before;
                    return cpu.Stopped;
                }
                value = Load(p, size);
            }
            if (!cpu.StackPush(value, size))
            {
                s->General[4] = before;
                return cpu.Stopped;
            }
        }
        cpu.StackRelease(unchecked(0UL - i->Immediate16));
        // The last word of the frame must be writable already.
        if (!cpu.StackProbe(size))
        {
            s->General[4] = before;
            return cpu.Stopped;
        }
        if (size == 2)
            *(ushort*)&s->General[5] = (ushort)frame;
        else
            s->General[5] = size == 4 ? (uint)frame : frame;
        return Outcome.Next;
    }

    private static Outcome Leave(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Mnemonic == Mnemonic.Leave && i->Code == Code.Leavew ? 2 : i->Code == Code.Leaved ? 4 : 8;
        byte* p = cpu.StackReadAt(s->General[5], size);
        if (p == null)
            return cpu.Stopped;
        ulong value = Load(p, size);
        cpu.StackMoveTo(s->General[5] + (ulong)size);
        if (size == 2)
            *(ushort*)&s->General[5] = (ushort)value;
        else
            s->General[5] = value;
        return Outcome.Next;
    }
}
