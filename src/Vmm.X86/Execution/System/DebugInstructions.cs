using Iced.Intel;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Execution;

/// <summary>MOV to and from debug registers (SDM Vol. 2B MOV, Vol. 3B 18.2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class DebugInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Mov_r32_dr, &MoveFrom);
        table.Set(Code.Mov_r64_dr, &MoveFrom);
        table.Set(Code.Mov_dr_r32, &MoveTo);
        table.Set(Code.Mov_dr_r64, &MoveTo);
    }

    private static Outcome MoveFrom(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Select(cpu, s, i->Op1Register, out int index))
            return Outcome.Fault;
        Operands.Set(s, i->Op0Register, s->Debug[index]);
        return Outcome.Next;
    }

    private static Outcome MoveTo(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!Select(cpu, s, i->Op0Register, out int index))
            return Outcome.Fault;
        ulong value = Operands.Get(s, i->Op1Register);
        if (index >= 6)
        {
            if ((value >> 32) != 0)
                return cpu.RaiseGeneralProtection();
            value = index == 6 ? (value & DebugBits.StatusWritable) | DebugBits.StatusFixed : (value & DebugBits.ControlWritable)
                | DebugBits.ControlFixed;
        }
        s->Debug[index] = value;
        cpu.UpdateBreakpoints();
        cpu.UpdateMode();
        return Outcome.NextBlock;
    }

    /// <summary>DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE; then the privilege; then DR7.GD.</summary>
    private static bool Select(ProcessorCore cpu, VcpuState* s, IcedRegister register, out int index)
    {
        index = register - IcedRegister.DR0;
        bool exists = index is < 4 or 6 or 7 || (index < 8 && (s->Cr4 & Cr4Bits.DebuggingExtensions) == 0);
        if (index is 4 or 5)
            index += 2;
        if (!exists)
        {
            cpu.RaiseInvalidOpcode();
            return false;
        }
        if (s->Cpl != 0)
        {
            cpu.RaiseGeneralProtection();
            return false;
        }
        if ((s->Debug[7] & DebugBits.ControlGeneralDetect) == 0)
            return true;
        cpu.RaiseDebug(DebugBits.StatusDebugRegister);
        return false;
    }
}
