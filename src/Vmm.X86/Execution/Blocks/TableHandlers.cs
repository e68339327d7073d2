using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Runs instructions of the <see cref="InstructionTable"/> from inside a block.</summary>
// SAFETY: the instruction lives in the same code cache as the operation.
internal static unsafe class TableHandlers
{
    /// <summary>Calls the table's handler and goes on by its outcome.</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Call(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        Instruction* instruction = (Instruction*)op->Immediate;
        ulong rip = s->PageRip + op->Offset;
        if (instruction->IP != rip)
            Relocate(cpu, instruction, rip);
        s->Rip = instruction->IP;
        s->Before = op->Before;
        Ordered.Fence();
        Outcome outcome = ((delegate*<ProcessorCore, VcpuState*, Instruction*,
            Outcome>)*DecodedOperation.TableHandler(op))(cpu, s, instruction);
        Ordered.Fence();
        if (outcome != Outcome.Next)
            return Finish(cpu, s, op, outcome);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>An instruction that exists in no table: #UD.</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* Invalid(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        cpu.RaiseInvalidOpcode();
        return Dispatch.Stop(cpu, s, op);
    }

    /// <summary>An instruction longer than 15 bytes, or outside CS's limit: #GP(0).</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* Protection(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        cpu.RaiseGeneralProtection();
        return Dispatch.Stop(cpu, s, op);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedOperation* Finish(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.NextBlock:
                s->Rip = ((Instruction*)op->Immediate)->NextIP;
                s->Rip = cpu.MaskRip(s->Rip);
                s->InstructionsRetired += (ulong)(op->Before + 1);
                break;
            case Outcome.Branch:
                s->InstructionsRetired += (ulong)(op->Before + 1);
                break;
            case Outcome.Repeat:
                s->InstructionsRetired += op->Before;
                break;
            default:
                s->InstructionsRetired += op->Before;
                cpu.RunStop = outcome;
                return null;
        }
        cpu.RunStop = Outcome.Branch;
        return null;
    }

    /// <summary>The page runs at another linear address than it was decoded at: moves the instruction there.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Relocate(ProcessorCore cpu, Instruction* instruction, ulong rip)
    {
        rip = cpu.MaskRip(rip);
        if (instruction->IP == rip)
            return;
        if (instruction->IsIPRelativeMemoryOperand)
        {
            ulong displacement = instruction->MemoryDisplacement64 + (rip - instruction->IP);
            instruction->MemoryDisplacement64 = instruction->MemoryBase == Iced.Intel.Register.EIP ? (uint)displacement : displacement;
        }
        switch (instruction->Op0Kind)
        {
            case OpKind.NearBranch16:
                instruction->NearBranch16 += (ushort)(rip - instruction->IP);
                break;
            case OpKind.NearBranch32:
                instruction->NearBranch32 += (uint)(rip - instruction->IP);
                break;
            case OpKind.NearBranch64:
                instruction->NearBranch64 += rip - instruction->IP;
                break;
        }
        instruction->IP = rip;
    }
}
