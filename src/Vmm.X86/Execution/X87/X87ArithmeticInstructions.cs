using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in all their forms (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class X87ArithmeticInstructions
{
    public static void Register(InstructionTable table)
    {
        Register<X87Add>(table, Code.Fadd_st0_sti, Code.Fadd_sti_st0, Code.Faddp_sti_st0, Code.Fadd_m32fp, Code.Fadd_m64fp,
            Code.Fiadd_m32int, Code.Fiadd_m16int);
        Register<X87Multiply>(table, Code.Fmul_st0_sti, Code.Fmul_sti_st0, Code.Fmulp_sti_st0, Code.Fmul_m32fp, Code.Fmul_m64fp,
            Code.Fimul_m32int, Code.Fimul_m16int);
        Register<X87Subtract>(table, Code.Fsub_st0_sti, Code.Fsub_sti_st0, Code.Fsubp_sti_st0, Code.Fsub_m32fp, Code.Fsub_m64fp,
            Code.Fisub_m32int, Code.Fisub_m16int);
        Register<X87SubtractReverse>(table, Code.Fsubr_st0_sti, Code.Fsubr_sti_st0, Code.Fsubrp_sti_st0, Code.Fsubr_m32fp, Code.Fsubr_m64fp,
            Code.Fisubr_m32int, Code.Fisubr_m16int);
        Register<X87Divide>(table, Code.Fdiv_st0_sti, Code.Fdiv_sti_st0, Code.Fdivp_sti_st0, Code.Fdiv_m32fp, Code.Fdiv_m64fp,
            Code.Fidiv_m32int, Code.Fidiv_m16int);
        Register<X87DivideReverse>(table, Code.Fdivr_st0_sti, Code.Fdivr_sti_st0, Code.Fdivrp_sti_st0, Code.Fdivr_m32fp, Code.Fdivr_m64fp,
            Code.Fidivr_m32int, Code.Fidivr_m16int);
    }

    private static void Register<TOperation>(
        InstructionTable table, Code toTop, Code toRegister, Code popping, Code single, Code @double, Code doubleword, Code word)
        where TOperation : struct, IX87Operation
    {
        table.Set(toTop, &Registers<TOperation>);
        table.Set(toRegister, &Registers<TOperation>);
        table.Set(popping, &RegistersAndPop<TOperation>);
        table.Set(single, &Single<TOperation>);
        table.Set(@double, &Double<TOperation>);
        table.Set(doubleword, &Doubleword<TOperation>);
        table.Set(word, &Word<TOperation>);
    }

    private static Outcome Registers<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        Compute<TOperation>(s, i);
        return Outcome.Next;
    }

    private static Outcome RegistersAndPop<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        if (Compute<TOperation>(s, i))
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static bool Compute<TOperation>(VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        int destination = X87Unit.StackOperand(i, 0);
        int source = X87Unit.StackOperand(i, 1);
        X87Environment env = X87Unit.Begin(s);
        Float80 result = X87Unit.Underflows(s, destination, ref env) || X87Unit.Underflows(s, source, ref env)
            ? Float80.Indefinite
            : TOperation.Apply(X87Unit.Get(s, destination), X87Unit.Get(s, source), ref env);
        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned)
            return false;
        X87Unit.Set(s, destination, result);
        return true;
    }

    private static Outcome Single<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out uint bits))
            return cpu.Stopped;
        Float80 source = X87Conversion.WidenSingle(bits, out bool denormal);
        return Memory<TOperation>(s, i, source, denormal, in memory);
    }

    private static Outcome Double<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out ulong bits))
            return cpu.Stopped;
        Float80 source = X87Conversion.WidenDouble(bits, out bool denormal);
        return Memory<TOperation>(s, i, source, denormal, in memory);
    }

    private static Outcome Doubleword<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out int value))
            return cpu.Stopped;
        return Memory<TOperation>(s, i, X87Conversion.FromInteger(value), false, in memory);
    }

    private static Outcome Word<TOperation>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IX87Operation
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out short value))
            return cpu.Stopped;
        return Memory<TOperation>(s, i, X87Conversion.FromInteger(value), false, in memory);
    }

    private static Outcome Memory<TOperation>(VcpuState* s, Instruction* i, Float80 source, bool denormal, in X87Memory memory)
        where TOperation : struct, IX87Operation
    {
        X87Environment env = X87Unit.Begin(s);
        Float80 result = Float80.Indefinite;
        if (!X87Unit.Underflows(s, 0, ref env))
        {
            Float80 destination = X87Unit.Get(s, 0);
            if (denormal && !destination.IsNaN && !destination.IsUnsupported && !TOperation.ZeroDivides(destination))
                env.Raise(X87Exceptions.Denormal);
            if (!env.IsAbandoned)
                result = TOperation.Apply(destination, source, ref env);
        }

        X87Unit.End(s, i, ref env, in memory);
        if (!env.IsAbandoned)
            X87Unit.Set(s, 0, result);
        return Outcome.Next;
    }
}
