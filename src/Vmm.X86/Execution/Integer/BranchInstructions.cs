using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Near branches in table form: 16-bit code, segments that are not flat, odd sizes; LOOP and JCXZ.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class BranchInstructions
{
    public static void Register(InstructionTable table)
    {
        foreach (Code code in Enum.GetValues<Code>())
        {
            if (code.IsJccShortOrNear())
                table.Set(code, &Conditional);
            else if (code.IsJmpShortOrNear())
                table.Set(code, &Jump);
            else if (code.IsCallNear())
                table.Set(code, &Call);
            else if (code.IsJmpNearIndirect())
                table.Set(code, &JumpIndirect);
            else if (code.IsCallNearIndirect())
                table.Set(code, &CallIndirect);
            else if (code.IsLoop() || code.IsLoopcc())
                table.Set(code, &Loop);
            else if (code.IsJcxShort())
                table.Set(code, &JumpIfZero);
        }
        foreach (Code code in (ReadOnlySpan<Code>)[Code.Retnw, Code.Retnw_imm16,
            Code.Retnd, Code.Retnd_imm16, Code.Retnq, Code.Retnq_imm16])
            table.Set(code, &Return);
    }

    /// <summary>Checks a target against CS (SDM Vol. 2A JMP): canonical, or within the limit. False: #GP(0) recorded.</summary>
    private static bool Check(ProcessorCore cpu, VcpuState* s, ulong target)
    {
        if (cpu.Is64Bit ? cpu.IsCanonical(target) : target <= s->Segments[SegmentIndex.Cs].Limit)
            return true;
        cpu.RaiseGeneralProtection();
        return false;
    }

    private static Outcome Go(ProcessorCore cpu, VcpuState* s, ulong target)
    {
        if (!Check(cpu, s, target))
            return Outcome.Fault;
        s->Rip = target;
        return Outcome.Branch;
    }

    /// <summary>Target of a relative branch, wrapped to its operand size.</summary>
    private static ulong Target(Instruction* i) => i->Op0Kind switch
    {
        OpKind.NearBranch16 => i->NearBranch16,
        OpKind.NearBranch32 => i->NearBranch32,
        _ => i->NearBranch64,
    };

    private static ulong Load(byte* p, int size) => size switch { 2 => *(ushort*)p, 4 => *(uint*)p, _ => *(ulong*)p };

    private static Outcome Conditional(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        ConditionTest.Holds(s, i->ConditionCode) ? Go(cpu, s, Target(i)) : Outcome.Next;

    private static Outcome Jump(ProcessorCore cpu, VcpuState* s, Instruction* i) => Go(cpu, s, Target(i));

    private static Outcome Call(ProcessorCore cpu, VcpuState* s, Instruction* i) => CallTo(cpu, s, i, Target(i));

    private static Outcome CallTo(ProcessorCore cpu, VcpuState* s, Instruction* i, ulong target)
    {
        if (!Check(cpu, s, target) || !cpu.StackPush(i->NextIP, -i->StackPointerIncrement))
            return cpu.Stopped;
        s->Rip = target;
        return Outcome.Branch;
    }

    private static Outcome JumpIndirect(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 0, TableOperand.Size(i, 0), out ulong target) ? Go(cpu, s, target) : cpu.Stopped;

    private static Outcome CallIndirect(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Read(cpu, i, 0, TableOperand.Size(i, 0), out ulong target) ? CallTo(cpu, s, i, target) : cpu.Stopped;

    private static Outcome Return(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code switch { Code.Retnw or Code.Retnw_imm16 => 2, Code.Retnd or Code.Retnd_imm16 => 4, _ => 8 };
        byte* p = cpu.StackRead(0, size);
        if (p == null)
            return cpu.Stopped;
        ulong target = Load(p, size);
        if (!Check(cpu, s, target))
            return Outcome.Fault;
        cpu.StackRelease((ulong)size + (i->OpCount > 0 ? i->Immediate16 : 0UL));
        s->Rip = target;
        return Outcome.Branch;
    }

    /// <summary>Bytes of the count register, which the address size chooses.</summary>
    private static int CountSize(Instruction* i) => i->Code switch
    {
        Code.Loop_rel8_16_CX or Code.Loop_rel8_32_CX or Code.Loope_rel8_16_CX or Code.Loope_rel8_32_CX or Code.Loopne_rel8_16_CX
            or Code.Loopne_rel8_32_CX or Code.Jcxz_rel8_16 or Code.Jcxz_rel8_32 => 2,
        Code.Loop_rel8_64_RCX or Code.Loop_rel8_16_RCX or Code.Loope_rel8_64_RCX or Code.Loope_rel8_16_RCX or Code.Loopne_rel8_64_RCX
            or Code.Loopne_rel8_16_RCX or Code.Jrcxz_rel8_16 or Code.Jrcxz_rel8_64 => 8,
        _ => 4,
    };

    private static Outcome Loop(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong count = s->General[1] - 1;
        int size = CountSize(i);
        bool more = size switch { 2 => (ushort)count, 4 => (uint)count, _ => count } != 0;
        if (i->Mnemonic == Mnemonic.Loope)
            more &= LazyFlags.Zero(s);
        else if (i->Mnemonic == Mnemonic.Loopne)
            more &= !LazyFlags.Zero(s);
        if (more && !Check(cpu, s, Target(i)))
            return Outcome.Fault;
        if (size == 2)
            *(ushort*)&s->General[1] = (ushort)count;
        else
            s->General[1] = size == 4 ? (uint)count : count;
        if (!more)
            return Outcome.Next;
        s->Rip = Target(i);
        return Outcome.Branch;
    }

    private static Outcome JumpIfZero(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ulong count = s->General[1];
        return (CountSize(i) switch { 2 => (ushort)count, 4 => (uint)count, _ => count }) == 0 ? Go(cpu, s, Target(i)) : Outcome.Next;
    }
}
