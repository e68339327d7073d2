using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Conversions between integers, single and double precision in XMM, general and MMX registers.</summary>
// SAFETY: pointers are the processor's state block, locals, and an Instruction alive for the call; lanes stay inside 16 bytes.
internal static unsafe class FloatConversions
{
    /// <summary>Signed integer to float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FromInteger<TFormat>(long value, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        if (typeof(TFormat) == typeof(Binary64) && (value == (int)value || HostFloat.Usual(mxcsr)))
            return BitConverter.DoubleToUInt64Bits(value);
        if (typeof(TFormat) == typeof(Binary32) && HostFloat.Usual(mxcsr))
            return BitConverter.SingleToUInt32Bits(value);
        return SoftFloat<TFormat>.FromInteger(value, mxcsr, ref flags);
    }

    /// <summary>MXCSR with truncation: for the instructions with a second T in their name.</summary>
    public static uint Truncating(uint mxcsr) => mxcsr | MxcsrBits.RoundTowardZero;

    /// <summary>Float to signed integer, toward zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Truncate<TFormat>(ulong value, int bits, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat
    {
        // Below 2^31 the host's conversion is exact in what it drops; only inexactness may have to be recorded.
        if (FloatFormat<TFormat>.Magnitude(value) < (ulong)(FloatFormat<TFormat>.Bias + 31) << TFormat.FractionBits
            && FloatFormat<TFormat>.IsNormal(value))
        {
            double x = FloatFormat<TFormat>.Size == 8 ? BitConverter.UInt64BitsToDouble(value)
                : BitConverter.UInt32BitsToSingle((uint)value);
            int result = (int)x;
            if (result != x)
                flags |= MxcsrBits.Precision;
            return result;
        }
        return SoftFloat<TFormat>.ToInteger(value, bits, Truncating(mxcsr), ref flags);
    }

    private static Outcome FromGeneral<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i, int size)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 1, size, out ulong value))
            return cpu.Stopped;
        uint flags = 0;
        ulong result = FromInteger<TFormat>(size == 4 ? (int)value : (long)value, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        FloatInstructions.SetLane<TFormat>(SimdOperands.Xmm(s, i->Op0Register), 0, result);
        return Outcome.Next;
    }

    private static Outcome FromGeneral32<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => FromGeneral<TFormat>(cpu, s, i, 4);

    private static Outcome FromGeneral64<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => FromGeneral<TFormat>(cpu, s, i, 8);

    private static Outcome ToGeneral<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => ToGeneral<TFormat>(cpu, s, i, false);

    private static Outcome ToGeneralTruncated<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat => ToGeneral<TFormat>(cpu, s, i, true);

    private static Outcome ToGeneral<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i, bool truncate)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TFormat>.Size, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        int bits = i->Op0Register.GetSize() * 8;
        long result = truncate
            ? Truncate<TFormat>(source, bits, s->Mxcsr, ref flags)
            : SoftFloat<TFormat>.ToInteger(source, bits, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        Operands.Set(s, i->Op0Register, (ulong)result);
        return Outcome.Next;
    }

    private static Outcome ConvertScalar<TSource, TTarget>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TSource : struct, IFloatFormat
        where TTarget : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TSource>.Size, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        ulong result = SoftFloat<TSource>.Convert<TTarget>(source, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        FloatInstructions.SetLane<TTarget>(SimdOperands.Xmm(s, i->Op0Register), 0, result);
        return Outcome.Next;
    }

    private static Outcome Finish(ProcessorCore cpu, VcpuState* s, Instruction* i, uint flags, Vector128<byte> result)
    {
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = result;
        return Outcome.Next;
    }

    private static Outcome Cvtps2pd(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        ulong low = SoftFloat<Binary32>.Convert<Binary64>((uint)source, s->Mxcsr, ref flags);
        ulong high = SoftFloat<Binary32>.Convert<Binary64>(source >> 32, s->Mxcsr, ref flags);
        return Finish(cpu, s, i, flags, Vector128.Create(low, high).AsByte());
    }

    private static Outcome Cvtpd2ps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        uint flags = 0;
        ulong low = SoftFloat<Binary64>.Convert<Binary32>(source.AsUInt64()[0], s->Mxcsr, ref flags);
        ulong high = SoftFloat<Binary64>.Convert<Binary32>(source.AsUInt64()[1], s->Mxcsr, ref flags);
        return Finish(cpu, s, i, flags, Vector128.CreateScalar(low | (high << 32)).AsByte());
    }

    private static Outcome Cvtdq2ps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        uint flags = 0;
        for (int lane = 0; lane < 4; lane++)
            ((uint*)&source)[lane] = (uint)FromInteger<Binary32>(((int*)&source)[lane], s->Mxcsr, ref flags);
        return Finish(cpu, s, i, flags, source);
    }

    private static Outcome Cvtdq2pd(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        *SimdOperands.Xmm(s, i->Op0Register) = PairToDoubles(source);
        return Outcome.Next;
    }

    private static Vector128<byte> PairToDoubles(ulong integers) =>
        Vector128.Create((double)(int)integers, (int)(integers >> 32)).AsByte();

    private static Outcome Cvtps2dq(ProcessorCore cpu, VcpuState* s, Instruction* i) => SinglesToIntegers(cpu, s, i, s->Mxcsr);

    private static Outcome Cvttps2dq(ProcessorCore cpu, VcpuState* s, Instruction* i) => SinglesToIntegers(cpu, s, i, Truncating(s->Mxcsr));

    private static Outcome SinglesToIntegers(ProcessorCore cpu, VcpuState* s, Instruction* i, uint mode)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        uint flags = 0;
        for (int lane = 0; lane < 4; lane++)
            ((int*)&source)[lane] = (int)SoftFloat<Binary32>.ToInteger(((uint*)&source)[lane], 32, mode, ref flags);
        return Finish(cpu, s, i, flags, source);
    }

    private static Outcome Cvtpd2dq(ProcessorCore cpu, VcpuState* s, Instruction* i) => DoublesToIntegers(cpu, s, i, s->Mxcsr);

    private static Outcome Cvttpd2dq(ProcessorCore cpu, VcpuState* s, Instruction* i) => DoublesToIntegers(cpu, s, i, Truncating(s->Mxcsr));

    private static Outcome DoublesToIntegers(ProcessorCore cpu, VcpuState* s, Instruction* i, uint mode)
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        uint flags = 0;
        ulong pair = PairToIntegers<Binary64>(source.AsUInt64()[0], source.AsUInt64()[1], mode, ref flags);
        return Finish(cpu, s, i, flags, Vector128.CreateScalar(pair).AsByte());
    }

    private static ulong PairToIntegers<TFormat>(ulong low, ulong high, uint mode, ref uint flags)
        where TFormat : struct, IFloatFormat =>
        (uint)SoftFloat<TFormat>.ToInteger(low, 32, mode, ref flags)
        | ((ulong)(uint)SoftFloat<TFormat>.ToInteger(high, 32, mode, ref flags) << 32);

    // From memory neither of the two touches the x87 state at all.
    private static Outcome Cvtpi2ps(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        bool register = i->Op1Kind == OpKind.Register;
        if (!(register ? MmxOperands.AvailableWithSse(cpu, s) : SimdOperands.Available(cpu, s))
            || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        ulong low = FromInteger<Binary32>((int)source, s->Mxcsr, ref flags);
        ulong high = FromInteger<Binary32>((int)(source >> 32), s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        if (register)
            MmxOperands.Enter(s);
        *SimdOperands.Low(s, i->Op0Register) = low | (high << 32);
        return Outcome.Next;
    }

    private static Outcome Cvtpi2pd(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        bool register = i->Op1Kind == OpKind.Register;
        if (!(register ? MmxOperands.AvailableWithSse(cpu, s) : SimdOperands.Available(cpu, s))
            || !MmxOperands.Source(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        if (register)
            MmxOperands.Enter(s);
        *SimdOperands.Xmm(s, i->Op0Register) = PairToDoubles(source);
        return Outcome.Next;
    }

    private static Outcome Cvtps2pi(ProcessorCore cpu, VcpuState* s, Instruction* i) => SinglesToMmx(cpu, s, i, s->Mxcsr);

    private static Outcome Cvttps2pi(ProcessorCore cpu, VcpuState* s, Instruction* i) => SinglesToMmx(cpu, s, i, Truncating(s->Mxcsr));

    private static Outcome SinglesToMmx(ProcessorCore cpu, VcpuState* s, Instruction* i, uint mode)
    {
        if (!MmxOperands.AvailableWithSse(cpu, s) || !SimdOperands.ScalarSource(cpu, s, i, 1, 8, out ulong source))
            return cpu.Stopped;
        uint flags = 0;
        return ToMmx(cpu, s, i, PairToIntegers<Binary32>((uint)source, source >> 32, mode, ref flags), flags);
    }

    private static Outcome Cvtpd2pi(ProcessorCore cpu, VcpuState* s, Instruction* i) => DoublesToMmx(cpu, s, i, s->Mxcsr);

    private static Outcome Cvttpd2pi(ProcessorCore cpu, VcpuState* s, Instruction* i) => DoublesToMmx(cpu, s, i, Truncating(s->Mxcsr));

    private static Outcome DoublesToMmx(ProcessorCore cpu, VcpuState* s, Instruction* i, uint mode)
    {
        if (!MmxOperands.AvailableWithSse(cpu, s) || !SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        uint flags = 0;
        return ToMmx(cpu, s, i, PairToIntegers<Binary64>(source.AsUInt64()[0], source.AsUInt64()[1], mode, ref flags), flags);
    }

    private static Outcome ToMmx(ProcessorCore cpu, VcpuState* s, Instruction* i, ulong value, uint flags)
    {
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        MmxOperands.Set(s, i->Op0Register, value);
        return Outcome.Next;
    }

    public static void Register(InstructionTable table)
    {
        table.Set(Code.Cvtsi2ss_xmm_rm32, &FromGeneral32<Binary32>);
        table.Set(Code.Cvtsi2ss_xmm_rm64, &FromGeneral64<Binary32>);
        table.Set(Code.Cvtsi2sd_xmm_rm32, &FromGeneral32<Binary64>);
        table.Set(Code.Cvtsi2sd_xmm_rm64, &FromGeneral64<Binary64>);
        table.Set(Code.Cvtss2si_r32_xmmm32, &ToGeneral<Binary32>);
        table.Set(Code.Cvtss2si_r64_xmmm32, &ToGeneral<Binary32>);
        table.Set(Code.Cvtsd2si_r32_xmmm64, &ToGeneral<Binary64>);
        table.Set(Code.Cvtsd2si_r64_xmmm64, &ToGeneral<Binary64>);
        table.Set(Code.Cvttss2si_r32_xmmm32, &ToGeneralTruncated<Binary32>);
        table.Set(Code.Cvttss2si_r64_xmmm32, &ToGeneralTruncated<Binary32>);
        table.Set(Code.Cvttsd2si_r32_xmmm64, &ToGeneralTruncated<Binary64>);
        table.Set(Code.Cvttsd2si_r64_xmmm64, &ToGeneralTruncated<Binary64>);
        table.Set(Code.Cvtss2sd_xmm_xmmm32, &ConvertScalar<Binary32, Binary64>);
        table.Set(Code.Cvtsd2ss_xmm_xmmm64, &ConvertScalar<Binary64, Binary32>);
        table.Set(Code.Cvtps2pd_xmm_xmmm64, &Cvtps2pd);
        table.Set(Code.Cvtpd2ps_xmm_xmmm128, &Cvtpd2ps);
        table.Set(Code.Cvtdq2ps_xmm_xmmm128, &Cvtdq2ps);
        table.Set(Code.Cvtdq2pd_xmm_xmmm64, &Cvtdq2pd);
        table.Set(Code.Cvtps2dq_xmm_xmmm128, &Cvtps2dq);
        table.Set(Code.Cvttps2dq_xmm_xmmm128, &Cvttps2dq);
        table.Set(Code.Cvtpd2dq_xmm_xmmm128, &Cvtpd2dq);
        table.Set(Code.Cvttpd2dq_xmm_xmmm128, &Cvttpd2dq);
        table.Set(Code.Cvtpi2ps_xmm_mmm64, &Cvtpi2ps);
        table.Set(Code.Cvtpi2pd_xmm_mmm64, &Cvtpi2pd);
        table.Set(Code.Cvtps2pi_mm_xmmm64, &Cvtps2pi);
        table.Set(Code.Cvttps2pi_mm_xmmm64, &Cvttps2pi);
        table.Set(Code.Cvtpd2pi_mm_xmmm128, &Cvtpd2pi);
        table.Set(Code.Cvttpd2pi_mm_xmmm128, &Cvttpd2pi);
    }
}
