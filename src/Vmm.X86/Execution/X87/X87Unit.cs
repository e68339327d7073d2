using System.Runtime.CompilerServices;
using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>The register stack, the pending-exception check and the last-instruction record that all x87 instructions share.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; physical register numbers are masked to 0..7.
internal static unsafe class X87Unit
{
    private const int ErrorSummary = 0x80;

    /// <summary>
    /// What a waiting instruction checks first: #NM when the unit is not to be used, #MF for a pending unmasked exception. With CR0.NE
    /// clear
    /// the exception is the business of a PC's external interrupt logic; the instruction then runs as it does with IGNNE# asserted.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ready(ProcessorCore cpu, VcpuState* s) =>
        ((s->Mode & ExecutionMode.FpuUsable) != 0 && (s->FpuStatus & ErrorSummary) == 0) || ReadySlow(cpu, s);

    /// <summary>The check of an instruction that does not wait: #NM only.</summary>
    public static bool Available(ProcessorCore cpu, VcpuState* s)
    {
        if ((s->Mode & ExecutionMode.FpuUsable) != 0)
            return true;
        cpu.Raise(ExceptionVector.DeviceNotAvailable);
        return false;
    }

    /// <summary>The pending-exception check alone.</summary>
    public static bool NothingPending(ProcessorCore cpu, VcpuState* s)
    {
        if ((s->FpuStatus & ErrorSummary) == 0 || (s->Cr0 & Cr0Bits.NumericError) == 0)
            return true;
        cpu.Raise(ExceptionVector.FloatingPoint);
        return false;
    }

    /// <summary>The environment of one instruction: C1 clear, nothing raised.</summary>
    public static X87Environment Begin(VcpuState* s)
    {
        X87Environment env = new(s->FpuControl, s->FpuStatus);
        env.Begin();
        return env;
    }

    /// <summary>Commits the status word and records the instruction (SDM Vol. 1 8.1.8).</summary>
    public static void End(VcpuState* s, Instruction* i, ref X87Environment env)
    {
        s->FpuStatus = env.StatusWord;
        Record(s, i, env.IsMasked(env.Raised & (X87Exceptions)0x3F));
    }

    /// <summary>As <see cref="End(VcpuState*, Instruction*, ref X87Environment)"/> for an instruction with a memory operand.</summary>
    public static void End(VcpuState* s, Instruction* i, ref X87Environment env, in X87Memory memory)
    {
        s->FpuDataPointer = memory.Offset;
        s->FpuDataSelector = memory.Selector;
        End(s, i, ref env);
    }

    /// <summary>Records an instruction that cannot raise anything.</summary>
    public static void Record(VcpuState* s, Instruction* i, bool masked = true)
    {
        s->FpuInstructionPointer = s->Rip;
        s->FpuInstructionSelector = s->Segments[SegmentIndex.Cs].Selector;
        // The opcode is kept for unmasked exceptions only, as processors do since the Pentium 4 (SDM Vol. 1 8.1.9.1).
        if (!masked)
            s->FpuOpcode = X87Opcode.Of(i);
    }

    public static int Top(VcpuState* s) => (s->FpuStatus >> 11) & 7;

    public static bool IsEmpty(VcpuState* s, int index) => ((s->FpuTags >> ((Top(s) + index) & 7)) & 1) == 0;

    public static Float80 Get(VcpuState* s, int index)
    {
        ulong* register = &s->Fpu[0] + (2 * ((Top(s) + index) & 7));
        return new Float80(register[0], (ushort)register[1]);
    }

    /// <summary>Writes ST(index) and tags it as in use.</summary>
    public static void Set(VcpuState* s, int index, Float80 value)
    {
        int physical = (Top(s) + index) & 7;
        ulong* register = &s->Fpu[0] + (2 * physical);
        register[0] = value.Significand;
        register[1] = value.SignExponent;
        s->FpuTags |= (ushort)(1 << physical);
    }

    public static void Free(VcpuState* s, int index) => s->FpuTags &= (ushort)~(1 << ((Top(s) + index) & 7));

    public static void Pop(VcpuState* s)
    {
        Free(s, 0);
        Rotate(s, 1);
    }

    public static void Push(VcpuState* s, Float80 value)
    {
        Rotate(s, -1);
        Set(s, 0, value);
    }

    public static void Rotate(VcpuState* s, int by) =>
        s->FpuStatus = (ushort)((s->FpuStatus & ~0x3800) | (((Top(s) + by) & 7) << 11));

    /// <summary>Number of the stack register that an operand names.</summary>
    public static int StackOperand(Instruction* i, int operand) => i->GetOpRegister(operand) - Iced.Intel.Register.ST0;

    /// <summary>Raises a stack underflow if ST(index) is empty.</summary>
    public static bool Underflows(VcpuState* s, int index, ref X87Environment env)
    {
        if (!IsEmpty(s, index))
            return false;
        env.RaiseStackFault(false);
        return true;
    }

    /// <summary>Raises a stack overflow if a push would meet a register in use.</summary>
    public static bool Overflows(VcpuState* s, ref X87Environment env)
    {
        if (IsEmpty(s, -1))
            return false;
        env.RaiseStackFault(true);
        return true;
    }

    private static bool ReadySlow(ProcessorCore cpu, VcpuState* s) => Available(cpu, s) && NothingPending(cpu, s);
}
