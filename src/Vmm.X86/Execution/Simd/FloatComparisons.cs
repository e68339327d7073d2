using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Floating-point comparisons and roundings to integral values.</summary>
// SAFETY: pointers are the processor's state block, locals, and an Instruction alive for the call; lanes stay inside 16 bytes.
internal static unsafe class FloatComparisons
{
    private static Outcome CompareFlags<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i, bool signalling)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TFormat>.Size, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        ulong first = FloatInstructions.Lane<TFormat>(SimdOperands.Xmm(s, i->Op0Register), 0);
        FloatRelation relation = SoftFloat<TFormat>.Compare(first, source, signalling, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        LazyFlags.SetArithmetic(s, StatusFlags(relation));
        return Outcome.Next;
    }

    /// <summary>ZF, PF and CF as COMISD leaves them; the other three are clear.</summary>
    public static uint StatusFlags(FloatRelation relation) => relation switch
    {
        FloatRelation.Equal => LazyFlags.Zf,
        FloatRelation.Less => LazyFlags.Cf,
        FloatRelation.Greater => 0,
        _ => LazyFlags.Zf | LazyFlags.Pf | LazyFlags.Cf,
    };

    private static Outcome Comis<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => CompareFlags<TFormat>(cpu, s, i, true);

    private static Outcome Ucomis<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => CompareFlags<TFormat>(cpu, s, i, false);

    private static Outcome ComparePacked<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < FloatInstructions.Lanes<TFormat>(); lane++)
        {
            bool holds = SoftFloat<TFormat>.Test(FloatInstructions.Lane<TFormat>(d, lane), FloatInstructions.Lane<TFormat>(&source, lane),
                i->Immediate8 & 7, mxcsr, ref flags);
            FloatInstructions.SetLane<TFormat>(&result, lane, holds ? ulong.MaxValue : 0);
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        *d = result;
        return Outcome.Next;
    }

    private static Outcome CompareScalar<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TFormat>.Size, out ulong source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        uint flags = 0;
        bool holds = SoftFloat<TFormat>.Test(FloatInstructions.Lane<TFormat>(d, 0), source, i->Immediate8 & 7, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        FloatInstructions.SetLane<TFormat>(d, 0, holds ? ulong.MaxValue : 0);
        return Outcome.Next;
    }

    // The immediate: bits 1-0 rounding, bit 2 takes MXCSR's instead, bit 3 drops the precision exception.
    internal static uint RoundingMode(uint mxcsr, byte immediate) =>
        (immediate & 4) != 0 ? mxcsr : (mxcsr & ~MxcsrBits.Rounding) | ((immediate & 3U) << 13);

    internal static uint Reported(uint flags, byte immediate) => (immediate & 8) != 0 ? flags & ~MxcsrBits.Precision : flags;

    private static Outcome RoundPacked<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        byte immediate = i->Immediate8;
        uint mode = RoundingMode(s->Mxcsr, immediate), flags = 0;
        for (int lane = 0; lane < FloatInstructions.Lanes<TFormat>(); lane++)
        {
            FloatInstructions.SetLane<TFormat>(&source, lane,
                SoftFloat<TFormat>.ToIntegral(FloatInstructions.Lane<TFormat>(&source, lane), mode, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, Reported(flags, immediate)))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = source;
        return Outcome.Next;
    }

    private static Outcome RoundScalar<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TFormat>.Size, out ulong source))
            return cpu.Stopped;
        byte immediate = i->Immediate8;
        uint flags = 0;
        ulong result = SoftFloat<TFormat>.ToIntegral(source, RoundingMode(s->Mxcsr, immediate), ref flags);
        if (!SimdExceptions.Accept(cpu, s, Reported(flags, immediate)))
            return cpu.Stopped;
        FloatInstructions.SetLane<TFormat>(SimdOperands.Xmm(s, i->Op0Register), 0, result);
        return Outcome.Next;
    }

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Comiss_xmm_xmmm32, &Comis<Binary32>);
        table.Set(Code.Comisd_xmm_xmmm64, &Comis<Binary64>);
        table.Set(Code.Ucomiss_xmm_xmmm32, &Ucomis<Binary32>);
        table.Set(Code.Ucomisd_xmm_xmmm64, &Ucomis<Binary64>);
        table.Set(Code.Cmpps_xmm_xmmm128_imm8, &ComparePacked<Binary32>);
        table.Set(Code.Cmppd_xmm_xmmm128_imm8, &ComparePacked<Binary64>);
        table.Set(Code.Cmpss_xmm_xmmm32_imm8, &CompareScalar<Binary32>);
        table.Set(Code.Cmpsd_xmm_xmmm64_imm8, &CompareScalar<Binary64>);
        table.Set(Code.Roundps_xmm_xmmm128_imm8, &RoundPacked<Binary32>);
        table.Set(Code.Roundpd_xmm_xmmm128_imm8, &RoundPacked<Binary64>);
        table.Set(Code.Roundss_xmm_xmmm32_imm8, &RoundScalar<Binary32>);
        table.Set(Code.Roundsd_xmm_xmmm64_imm8, &RoundScalar<Binary64>);
    }
}
