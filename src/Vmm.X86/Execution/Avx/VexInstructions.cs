using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>
/// Runs operations from Iced's decoded form: (destination, [first source,] second source or memory[, immediate or register]).
/// </summary>
// SAFETY: pointers are the processor's state block, an Instruction alive for the call, and memory of the operation's size.
internal static unsafe class VexInstructions
{
    /// <summary>One operation, any operands.</summary>
    public static Outcome Run<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IVexOperation
    {
        if (!VexOperands.Available(cpu, s))
            return cpu.Stopped;
        int last = LastSource(i, out ulong immediate);
        byte* d = VexOperands.Slot(s, i->Op0Register);
        byte* a = last == 2 ? VexOperands.Slot(s, i->Op1Register) : d;
        byte* b = i->GetOpKind(last) == OpKind.Register
            ? VexOperands.Slot(s, i->GetOpRegister(last))
            : Source(cpu, i, TOperation.Size, TOperation.Aligned);
        return b != null && TOperation.Apply(cpu, s, immediate, d, a, b) ? Outcome.Next : cpu.Stopped;
    }

    /// <summary>Index of the second source, and what stands behind it.</summary>
    public static int LastSource(Instruction* i, out ulong immediate)
    {
        int last = i->OpCount - 1;
        immediate = 0;
        if (i->GetOpKind(last) == OpKind.Immediate8)
        {
            immediate = i->Immediate8;
            return last - 1;
        }
        if (last < 3)
            return last;
        immediate = VexOperands.Offset(i->GetOpRegister(last));
        return last - 1;
    }

    private static byte* Source(ProcessorCore cpu, Instruction* i, int size, bool aligned)
    {
        if (!Operands.Linear(cpu, i, size, false, out ulong linear))
            return null;
        if (!aligned || (linear & (ulong)(size - 1)) == 0)
            return cpu.ReadPointer(linear, size);
        cpu.RaiseGeneralProtection();
        return null;
    }
}
