using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>
/// FXCH, FCMOVcc, FFREE, FFREEP, FINCSTP, FDECSTP, FNOP, FCHS and FABS: what moves registers without arithmetic (SDM Vol. 2).
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class X87RegisterInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fxch_st0_sti, &Exchange);
        table.Set(Code.Fxch_st0_sti_DDC8, &Exchange);
        table.Set(Code.Fxch_st0_sti_DFC8, &Exchange);
        ReadOnlySpan<Code> moves =
        [
            Code.Fcmovb_st0_sti, Code.Fcmove_st0_sti, Code.Fcmovbe_st0_sti, Code.Fcmovu_st0_sti, Code.Fcmovnb_st0_sti, Code.Fcmovne_st0_sti,
            Code.Fcmovnbe_st0_sti, Code.Fcmovnu_st0_sti,
        ];
        foreach (Code code in moves)
            table.Set(code, &ConditionalMove);
        table.Set(Code.Ffree_sti, &Free);
        table.Set(Code.Ffreep_sti, &Free);
        table.Set(Code.Fincstp, &Rotate);
        table.Set(Code.Fdecstp, &Rotate);
        table.Set(Code.Fnop, &NoOperation);
        table.Set(Code.Fchs, &Sign);
        table.Set(Code.Fabs, &Sign);
    }

    private static Outcome Exchange(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        int other = X87Unit.StackOperand(i, 1);
        X87Environment env = X87Unit.Begin(s);
        Float80 top = X87Unit.Underflows(s, 0, ref env) ? Float80.Indefinite : X87Unit.Get(s, 0);
        Float80 value = X87Unit.Underflows(s, other, ref env) ? Float80.Indefinite : X87Unit.Get(s, other);
        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned)
            return Outcome.Next;
        X87Unit.Set(s, 0, value);
        X87Unit.Set(s, other, top);
        return Outcome.Next;
    }

    private static Outcome ConditionalMove(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        int source = X87Unit.StackOperand(i, 1);
        bool condition = i->Code switch
        {
            Code.Fcmovb_st0_sti => LazyFlags.Carry(s) != 0,
            Code.Fcmove_st0_sti => LazyFlags.Zero(s),
            Code.Fcmovbe_st0_sti => LazyFlags.Carry(s) != 0 || LazyFlags.Zero(s),
            Code.Fcmovu_st0_sti => LazyFlags.Parity(s) != 0,
            Code.Fcmovnb_st0_sti => LazyFlags.Carry(s) == 0,
            Code.Fcmovne_st0_sti => !LazyFlags.Zero(s),
            Code.Fcmovnbe_st0_sti => LazyFlags.Carry(s) == 0 && !LazyFlags.Zero(s),
            _ => LazyFlags.Parity(s) == 0,
        };
        // C1 is written by a stack fault only.
        X87Environment env = new(s->FpuControl, s->FpuStatus);
        bool fault = X87Unit.Underflows(s, 0, ref env) || X87Unit.Underflows(s, source, ref env);
        X87Unit.End(s, i, ref env);
        if (fault && !env.IsAbandoned)
            X87Unit.Set(s, 0, Float80.Indefinite);
        else if (!fault && condition)
            X87Unit.Set(s, 0, X87Unit.Get(s, source));
        return Outcome.Next;
    }

    private static Outcome Free(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        X87Unit.End(s, i, ref env);
        X87Unit.Free(s, X87Unit.StackOperand(i, 0));
        if (i->Code == Code.Ffreep_sti)
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static Outcome Rotate(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        X87Unit.End(s, i, ref env);
        X87Unit.Rotate(s, i->Code == Code.Fincstp ? 1 : -1);
        return Outcome.Next;
    }

    private static Outcome NoOperation(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Unit.Record(s, i);
        return Outcome.Next;
    }

    private static Outcome Sign(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = Float80.Indefinite;
        if (!X87Unit.Underflows(s, 0, ref env))
            value = i->Code == Code.Fchs ? X87Unit.Get(s, 0).Negate() : X87Unit.Get(s, 0).Abs();
        X87Unit.End(s, i, ref env);
        if (!env.IsAbandoned)
            X87Unit.Set(s, 0, value);
        return Outcome.Next;
    }
}
