using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>MMX registers, which are the significands of the physical x87 registers (SDM Vol. 1 9.5), and their operands.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; register numbers come from Iced (0 to 7).
internal static unsafe class MmxOperands
{
    private const ushort StackTop = 0x3800;

    /// <summary>Where an MMX register is kept.</summary>
    public static ulong* Mm(VcpuState* s, Register register) => &s->Fpu[0] + ((register - Register.MM0) * 2);

    /// <summary>MMX instructions may run; false: #UD, #NM or a pending x87 exception recorded (SDM Vol. 3A 12.1).</summary>
    public static bool Available(ProcessorCore cpu, VcpuState* s)
    {
        if ((s->Mode & ExecutionMode.FpuUsable) != 0)
            return X87Unit.NothingPending(cpu, s);
        cpu.Raise((s->Cr0 & Cr0Bits.Emulation) != 0 ? ExceptionVector.InvalidOpcode : ExceptionVector.DeviceNotAvailable);
        return false;
    }

    /// <summary>Both SSE and MMX may be used: for instructions with an operand of each kind.</summary>
    public static bool AvailableWithSse(ProcessorCore cpu, VcpuState* s) =>
        SimdOperands.Available(cpu, s) && X87Unit.NothingPending(cpu, s);

    /// <summary>What every MMX instruction does to the x87 state: all registers valid, top of stack 0.</summary>
    public static void Enter(VcpuState* s)
    {
        s->FpuTags = 0xFF;
        s->FpuStatus &= unchecked((ushort)~StackTop);
    }

    /// <summary>Writes a register; its sign and exponent become all ones.</summary>
    public static void Set(VcpuState* s, Register register, ulong value)
    {
        Enter(s);
        ulong* d = Mm(s, register);
        d[0] = value;
        d[1] = 0xFFFF;
    }

    /// <summary>A register or memory source of 4 or 8 bytes, availability not checked. False: stop.</summary>
    public static bool Source(ProcessorCore cpu, VcpuState* s, Instruction* i, int operand, int size, out ulong value)
    {
        if (i->GetOpKind(operand) == OpKind.Register)
        {
            value = *Mm(s, i->GetOpRegister(operand));
            return true;
        }
        value = 0;
        return Operands.Linear(cpu, i, size, false, out ulong linear) && Operands.ReadSized(cpu, linear, size, out value);
    }
}
