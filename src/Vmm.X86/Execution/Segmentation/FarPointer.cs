using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Far pointers in memory: the offset, then the selector.</summary>
// SAFETY: pointers are an Instruction alive for the call.
internal static unsafe class FarPointer
{
    /// <summary>Reads the memory operand; <paramref name="size"/> is that of the offset. False: stop.</summary>
    public static bool Read(ProcessorCore cpu, Instruction* i, int size, out ushort selector, out ulong offset)
    {
        selector = 0;
        offset = 0;
        return Operands.Linear(cpu, i, size + 2, false, out ulong linear)
            && Operands.ReadSized(cpu, linear, size, out offset)
            && cpu.Read((linear + (ulong)size) & cpu.LinearMask, out selector);
    }
}
