using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FST, FSTP, FIST, FISTP, FISTTP, FBSTP (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; the ten-byte operand is built in a local.
internal static unsafe class X87StoreInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fst_m32fp, &StoreSingle);
        table.Set(Code.Fstp_m32fp, &StoreSingle);
        table.Set(Code.Fst_m64fp, &StoreDouble);
        table.Set(Code.Fstp_m64fp, &StoreDouble);
        table.Set(Code.Fstp_m80fp, &StoreExtended);
        table.Set(Code.Fist_m16int, &StoreInteger);
        table.Set(Code.Fistp_m16int, &StoreInteger);
        table.Set(Code.Fisttp_m16int, &StoreInteger);
        table.Set(Code.Fist_m32int, &StoreInteger);
        table.Set(Code.Fistp_m32int, &StoreInteger);
        table.Set(Code.Fisttp_m32int, &StoreInteger);
        table.Set(Code.Fistp_m64int, &StoreInteger);
        table.Set(Code.Fisttp_m64int, &StoreInteger);
        table.Set(Code.Fbstp_m80bcd, &StoreDecimal);
        table.Set(Code.Fst_sti, &StoreRegister);
        table.Set(Code.Fstp_sti, &StoreRegister);
        table.Set(Code.Fstpnce_sti, &StoreRegister);
        table.Set(Code.Fstp_sti_DFD0, &StoreRegister);
        table.Set(Code.Fstp_sti_DFD8, &StoreRegister);
    }

    private static Outcome StoreSingle(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 4, true, out X87Memory memory))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        uint value = X87Unit.Underflows(s, 0, ref env) ? 0xFFC0_0000 : X87Conversion.ToSingle(X87Unit.Get(s, 0), ref env);
        bool stored = env.IsStoreAbandoned ? cpu.ProbeWrite(memory.Linear, 4) : cpu.Write(memory.Linear, value);
        return stored ? Finish(s, i, ref env, in memory) : cpu.Stopped;
    }

    private static Outcome StoreDouble(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 8, true, out X87Memory memory))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        ulong value = X87Unit.Underflows(s, 0, ref env) ? 0xFFF8_0000_0000_0000 : X87Conversion.ToDouble(X87Unit.Get(s, 0), ref env);
        bool stored = env.IsStoreAbandoned ? cpu.ProbeWrite(memory.Linear, 8) : cpu.Write(memory.Linear, value);
        return stored ? Finish(s, i, ref env, in memory) : cpu.Stopped;
    }

    private static Outcome StoreExtended(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 10, true, out X87Memory memory))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = X87Unit.Underflows(s, 0, ref env) ? Float80.Indefinite : X87Unit.Get(s, 0);
        byte* bytes = stackalloc byte[10];
        value.Write(new Span<byte>(bytes, 10));
        bool stored = env.IsStoreAbandoned ? cpu.ProbeWrite(memory.Linear, 10) : cpu.WriteBytes(memory.Linear, bytes, 10);
        return stored ? Finish(s, i, ref env, in memory) : cpu.Stopped;
    }

    private static Outcome StoreDecimal(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 10, true, out X87Memory memory))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = X87Unit.Underflows(s, 0, ref env) ? Float80.Indefinite : X87Unit.Get(s, 0);
        byte* bytes = stackalloc byte[10];
        X87Decimal.ToPacked(value, new Span<byte>(bytes, 10), ref env);
        bool stored = env.IsStoreAbandoned ? cpu.ProbeWrite(memory.Linear, 10) : cpu.WriteBytes(memory.Linear, bytes, 10);
        return stored ? Finish(s, i, ref env, in memory) : cpu.Stopped;
    }

    private static Outcome StoreInteger(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = i->Code switch
        {
            Code.Fist_m16int or Code.Fistp_m16int or Code.Fisttp_m16int => 2,
            Code.Fistp_m64int or Code.Fisttp_m64int => 8,
            _ => 4,
        };
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, size, true, out X87Memory memory))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        long value;
        if (X87Unit.Underflows(s, 0, ref env))
            value = long.MinValue >> (64 - (8 * size));
        else if (i->Mnemonic == Mnemonic.Fisttp)
            value = X87Conversion.ToIntegerTruncated(X87Unit.Get(s, 0), 8 * size, ref env);
        else
            value = X87Conversion.ToInteger(X87Unit.Get(s, 0), 8 * size, ref env);
        bool stored = env.IsStoreAbandoned
            ? cpu.ProbeWrite(memory.Linear, size)
            : Operands.WriteSized(cpu, memory.Linear, size, (ulong)value);
        return stored ? Finish(s, i, ref env, in memory) : cpu.Stopped;
    }

    private static Outcome StoreRegister(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        if (i->Code == Code.Fstpnce_sti && X87Unit.IsEmpty(s, 0))
        {
            // "No check for empty": this alias moves nothing and only pops.
            X87Unit.End(s, i, ref env);
            X87Unit.Pop(s);
            return Outcome.Next;
        }

        Float80 value = X87Unit.Underflows(s, 0, ref env) ? Float80.Indefinite : X87Unit.Get(s, 0);
        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned)
            return Outcome.Next;
        X87Unit.Set(s, X87Unit.StackOperand(i, 0), value);
        if (i->Code != Code.Fst_sti)
            X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static Outcome Finish(VcpuState* s, Instruction* i, ref X87Environment env, in X87Memory memory)
    {
        X87Unit.End(s, i, ref env, in memory);
        if (!env.IsStoreAbandoned && i->Mnemonic is not (Mnemonic.Fst or Mnemonic.Fist))
            X87Unit.Pop(s);
        return Outcome.Next;
    }
}
