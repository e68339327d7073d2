using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FCOM, FUCOM, FICOM, FCOMI, FUCOMI with their popping forms, FTST and FXAM (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class X87CompareInstructions
{
    public static void Register(InstructionTable table)
    {
        ReadOnlySpan<Code> registers =
        [
            Code.Fcom_st0_sti, Code.Fcom_st0_sti_DCD0, Code.Fcomp_st0_sti, Code.Fcomp_st0_sti_DCD8, Code.Fcomp_st0_sti_DED0, Code.Fcompp,
            Code.Fucom_st0_sti, Code.Fucomp_st0_sti, Code.Fucompp,
        ];
        foreach (Code code in registers)
            table.Set(code, &CompareRegisters);
        table.Set(Code.Fcomi_st0_sti, &CompareToFlags);
        table.Set(Code.Fcomip_st0_sti, &CompareToFlags);
        table.Set(Code.Fucomi_st0_sti, &CompareToFlags);
        table.Set(Code.Fucomip_st0_sti, &CompareToFlags);
        table.Set(Code.Fcom_m32fp, &CompareSingle);
        table.Set(Code.Fcomp_m32fp, &CompareSingle);
        table.Set(Code.Fcom_m64fp, &CompareDouble);
        table.Set(Code.Fcomp_m64fp, &CompareDouble);
        table.Set(Code.Ficom_m32int, &CompareDoubleword);
        table.Set(Code.Ficomp_m32int, &CompareDoubleword);
        table.Set(Code.Ficom_m16int, &CompareWord);
        table.Set(Code.Ficomp_m16int, &CompareWord);
        table.Set(Code.Ftst, &Test);
        table.Set(Code.Fxam, &Examine);
    }

    private static Outcome CompareRegisters(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        Mnemonic mnemonic = i->Mnemonic;
        bool twice = mnemonic is Mnemonic.Fcompp or Mnemonic.Fucompp;
        int source = twice ? 1 : X87Unit.StackOperand(i, 1);
        bool quiet = mnemonic is Mnemonic.Fucom or Mnemonic.Fucomp or Mnemonic.Fucompp;
        X87Environment env = X87Unit.Begin(s);
        X87Relation relation = Compare(s, source, quiet, ref env);
        SetRelation(relation, ref env);
        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned || mnemonic is Mnemonic.Fcom or Mnemonic.Fucom)
            return Outcome.Next;
        X87Unit.Pop(s);
        if (twice)
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static Outcome CompareToFlags(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        // C1 is written by a stack fault only.
        X87Environment env = new(s->FpuControl, s->FpuStatus);
        bool quiet = i->Mnemonic is Mnemonic.Fucomi or Mnemonic.Fucomip;
        X87Relation relation = Compare(s, X87Unit.StackOperand(i, 1), quiet, ref env);
        X87Unit.End(s, i, ref env);
        // C0, C2 and C3 lie eight bits above CF, PF and ZF.
        LazyFlags.SetArithmetic(s, (ulong)relation >> 8);
        if (!env.IsAbandoned && i->Mnemonic is Mnemonic.Fcomip or Mnemonic.Fucomip)
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static X87Relation Compare(VcpuState* s, int source, bool quiet, ref X87Environment env)
    {
        if (X87Unit.Underflows(s, 0, ref env) || X87Unit.Underflows(s, source, ref env))
            return X87Relation.Unordered;
        Float80 a = X87Unit.Get(s, 0);
        Float80 b = X87Unit.Get(s, source);
        return quiet ? X87Comparison.CompareUnordered(a, b, ref env) : X87Comparison.CompareOrdered(a, b, ref env);
    }

    private static Outcome CompareSingle(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out uint bits))
            return cpu.Stopped;
        Float80 source = X87Conversion.WidenSingle(bits, out bool denormal);
        return CompareMemory(s, i, source, denormal, in memory);
    }

    private static Outcome CompareDouble(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out ulong bits))
            return cpu.Stopped;
        Float80 source = X87Conversion.WidenDouble(bits, out bool denormal);
        return CompareMemory(s, i, source, denormal, in memory);
    }

    private static Outcome CompareDoubleword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out int value))
            return cpu.Stopped;
        return CompareMemory(s, i, X87Conversion.FromInteger(value), false, in memory);
    }

    private static Outcome CompareWord(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out short value))
            return cpu.Stopped;
        return CompareMemory(s, i, X87Conversion.FromInteger(value), false, in memory);
    }

    private static Outcome CompareMemory(VcpuState* s, Instruction* i, Float80 source, bool denormal, in X87Memory memory)
    {
        X87Environment env = X87Unit.Begin(s);
        X87Relation relation = X87Relation.Unordered;
        if (!X87Unit.Underflows(s, 0, ref env))
        {
            Float80 top = X87Unit.Get(s, 0);
            if (denormal && !top.IsNaN && !top.IsUnsupported)
                env.Raise(X87Exceptions.Denormal);
            relation = X87Comparison.CompareOrdered(top, source, ref env);
        }

        SetRelation(relation, ref env);
        X87Unit.End(s, i, ref env, in memory);
        if (!env.IsAbandoned && i->Mnemonic is Mnemonic.Fcomp or Mnemonic.Ficomp)
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static Outcome Test(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        X87Relation relation = X87Unit.Underflows(s, 0, ref env)
            ? X87Relation.Unordered
            : X87Comparison.CompareOrdered(X87Unit.Get(s, 0), Float80.Zero, ref env);
        SetRelation(relation, ref env);
        X87Unit.End(s, i, ref env);
        return Outcome.Next;
    }

    private static Outcome Examine(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 top = X87Unit.Get(s, 0);
        ushort sign = top.IsNegative ? X87Environment.Condition1 : (ushort)0;
        env.SetConditions(X87Unit.IsEmpty(s, 0) ? (ushort)(X87Comparison.ExamineEmpty | sign) : X87Comparison.Examine(top));
        X87Unit.End(s, i, ref env);
        return Outcome.Next;
    }

    /// <summary>Sets C3, C2 and C0 and leaves C1 as the comparison left it.</summary>
    private static void SetRelation(X87Relation relation, ref X87Environment env) =>
        env.SetConditions((ushort)((ushort)relation | (env.StatusWord & X87Environment.Condition1)));
}
