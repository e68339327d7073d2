using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>First operands of table instructions that are read, changed and written back, in a register or in memory.</summary>
// SAFETY: a register operand is addressed in the state block, a memory operand through BeginModify.
internal static unsafe class TableOperand
{
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
        if (!Operands.Linear(cpu, i, sizeof(T), true, out ulong linear))
            return null;
        return (T*)(IsLocked(i) ? cpu.BeginLocked(linear, sizeof(T)) : cpu.BeginModify(linear, sizeof(T)));
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

    /// <summary>XCHG with memory is locked even without a prefix (SDM Vol. 3A 9.1.2.1).</summary>
    private static bool IsLocked(Instruction* i) => i->HasLockPrefix || i->Mnemonic == Mnemonic.Xchg;

    /// <summary>
    /// Replaces a value that still is as expected, atomically for the guest where the pointer is guest memory and the host can. Where it
    /// cannot, a locked instruction runs alone.
    /// </summary>
    /// <returns>The value that was there.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CompareExchange<T>(T* p, T value, T expected)
        where T : unmanaged
    {
#if VMM_MUTANTS
        if (Broken(Mutant.LockNotAtomic))
        {
            T there = *p;
            Linger();
            if (EqualityComparer<T>.Default.Equals(there, expected))
                *p = value;
            return there;
        }
#endif
        if (ProcessorCore.IsAtomicOnHost((ulong)p, sizeof(T)))
            return Interlocked.CompareExchange(ref *p, value, expected);
        T old = *p;
#if VMM_MUTANTS
        if (Broken(Mutant.SplitLockNotAtomic))
            Linger();
#endif
        if (EqualityComparer<T>.Default.Equals(old, expected))
            *p = value;
        return old;
    }
}
