using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>FLD, FILD, FBLD and the constants (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call; the ten-byte operand is copied to a local.
internal static unsafe class X87LoadInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fld_m32fp, &LoadSingle);
        table.Set(Code.Fld_m64fp, &LoadDouble);
        table.Set(Code.Fld_m80fp, &LoadExtended);
        table.Set(Code.Fld_sti, &LoadRegister);
        table.Set(Code.Fild_m16int, &LoadWord);
        table.Set(Code.Fild_m32int, &LoadDoubleword);
        table.Set(Code.Fild_m64int, &LoadQuadword);
        table.Set(Code.Fbld_m80bcd, &LoadDecimal);
        table.Set(Code.Fld1, &LoadConstant);
        table.Set(Code.Fldz, &LoadConstant);
        table.Set(Code.Fldl2t, &LoadConstant);
        table.Set(Code.Fldl2e, &LoadConstant);
        table.Set(Code.Fldpi, &LoadConstant);
        table.Set(Code.Fldlg2, &LoadConstant);
        table.Set(Code.Fldln2, &LoadConstant);
    }

    private static Outcome LoadSingle(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out uint bits))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = X87Unit.Overflows(s, ref env) ? Float80.Indefinite : X87Conversion.FromSingle(bits, ref env);
        return Push(s, i, value, ref env, in memory);
    }

    private static Outcome LoadDouble(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out ulong bits))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = X87Unit.Overflows(s, ref env) ? Float80.Indefinite : X87Conversion.FromDouble(bits, ref env);
        return Push(s, i, value, ref env, in memory);
    }

    private static Outcome LoadExtended(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte* bytes = stackalloc byte[10];
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 10, false, out X87Memory memory)
            || !cpu.ReadBytes(memory.Linear, bytes, 10))
            return cpu.Stopped;
        return PushExact(s, i, new Float80(*(ulong*)bytes, *(ushort*)(bytes + 8)), in memory);
    }

    private static Outcome LoadDecimal(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        byte* bytes = stackalloc byte[10];
        if (!X87Unit.Ready(cpu, s) || !X87Memory.Resolve(cpu, s, i, 10, false, out X87Memory memory)
            || !cpu.ReadBytes(memory.Linear, bytes, 10))
            return cpu.Stopped;
        return PushExact(s, i, X87Decimal.FromPacked(new ReadOnlySpan<byte>(bytes, 10)), in memory);
    }

    private static Outcome LoadWord(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out short value))
            return cpu.Stopped;
        return PushExact(s, i, X87Conversion.FromInteger(value), in memory);
    }

    private static Outcome LoadDoubleword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out int value))
            return cpu.Stopped;
        return PushExact(s, i, X87Conversion.FromInteger(value), in memory);
    }

    private static Outcome LoadQuadword(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Memory.Read(cpu, s, i, out X87Memory memory, out long value))
            return cpu.Stopped;
        return PushExact(s, i, X87Conversion.FromInteger(value), in memory);
    }

    private static Outcome LoadRegister(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        int source = X87Unit.StackOperand(i, 0);
        X87Environment env = X87Unit.Begin(s);
        bool fault = X87Unit.Underflows(s, source, ref env) || X87Unit.Overflows(s, ref env);
        Float80 value = fault ? Float80.Indefinite : X87Unit.Get(s, source);
        X87Unit.End(s, i, ref env);
        if (!env.IsAbandoned)
            X87Unit.Push(s, value);
        return Outcome.Next;
    }

    private static Outcome LoadConstant(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 value = i->Code switch
        {
            Code.Fld1 => Float80.One,
            Code.Fldl2t => X87Constants.Log2Of10(env.Rounding),
            Code.Fldl2e => X87Constants.Log2OfE(env.Rounding),
            Code.Fldpi => X87Constants.Pi(env.Rounding),
            Code.Fldlg2 => X87Constants.Log10Of2(env.Rounding),
            Code.Fldln2 => X87Constants.LogEOf2(env.Rounding),
            _ => Float80.Zero,
        };
        if (X87Unit.Overflows(s, ref env))
            value = Float80.Indefinite;
        X87Unit.End(s, i, ref env);
        if (!env.IsAbandoned)
            X87Unit.Push(s, value);
        return Outcome.Next;
    }

    private static Outcome PushExact(VcpuState* s, Instruction* i, Float80 value, in X87Memory memory)
    {
        X87Environment env = X87Unit.Begin(s);
        if (X87Unit.Overflows(s, ref env))
            value = Float80.Indefinite;
        return Push(s, i, value, ref env, in memory);
    }

    private static Outcome Push(VcpuState* s, Instruction* i, Float80 value, ref X87Environment env, in X87Memory memory)
    {
        X87Unit.End(s, i, ref env, in memory);
        // An unmasked denormal exception is pending after the load, but the value is there.
        if (env.IsMasked(env.Raised & X87Exceptions.Invalid))
            X87Unit.Push(s, value);
        return Outcome.Next;
    }
}
