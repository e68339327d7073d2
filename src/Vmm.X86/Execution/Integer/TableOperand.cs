using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>First operands of table instructions that are read, changed and written back, in a register or in memory.</summary>
// SAFETY: a register operand is addressed in the state block, a memory operand through BeginModify.
internal static unsafe class TableOperand
{
    private static readonly Lock s_misaligned = new();

    /// <summary>Bytes of an operand.</summary>
    public static int Size(Instruction* i, int operand) =>
        i->GetOpKind(operand) == OpKind.Register ? i->GetOpRegister(operand).GetSize() : i->MemorySize.GetSize();

    /// <summary>Where operand 0 can be read and written. Null: stop. <see cref="End{T}"/> must follow the write.</summary>
    public static T* Begin<T>(ProcessorCore cpu, Instruction* i)
        where T : unmanaged
    {
        if (i->Op0Kind == OpKind.Register)
        {
            int index = Operands.Index(i->Op0Register);
            return Operands.IsHighByte(i->Op0Register) ? (T*)((byte*)&cpu.State->General[index - 4] + 1) : (T*)&cpu.State->General[index];
        }
        return Operands.Linear(cpu, i, sizeof(T), true, out ulong linear) ? (T*)cpu.BeginModify(linear, sizeof(T)) : null;
    }

    /// <summary>Ends the write: clears the upper half of a 32-bit register. False: stop.</summary>
    public static bool End<T>(ProcessorCore cpu, Instruction* i)
        where T : unmanaged
    {
        if (i->Op0Kind != OpKind.Register)
            return cpu.EndModify(sizeof(T));
        if (sizeof(T) == 4)
            cpu.State->General[Operands.Index(i->Op0Register)] &= uint.MaxValue;
        return true;
    }

    /// <summary>
    /// Replaces a value that still is as expected, atomically for the guest where the pointer is guest memory. A misaligned one is atomic
    /// on
    /// x86 hosts and against other misaligned ones elsewhere.
    /// </summary>
    /// <returns>The value that was there.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CompareExchange<T>(T* p, T value, T expected)
        where T : unmanaged
    {
        if (X86Base.IsSupported || ((nuint)p & (nuint)(sizeof(T) - 1)) == 0)
            return Interlocked.CompareExchange(ref *p, value, expected);
        lock (s_misaligned)
        {
            T old = *p;
            if (EqualityComparer<T>.Default.Equals(old, expected))
                *p = value;
            return old;
        }
    }
}
