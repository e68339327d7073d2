using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Packed and scalar floating-point arithmetic.</summary>
// SAFETY: pointers are the processor's state block, locals, and an Instruction alive for the call; lanes stay inside 16 bytes.
internal static unsafe class FloatInstructions
{
    /// <summary>Reads one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Lane<TFormat>(Vector128<byte>* vector, int lane)
        where TFormat : struct, IFloatFormat => FloatFormat<TFormat>.Size == 8 ? ((ulong*)vector)[lane] : ((uint*)vector)[lane];

    /// <summary>Writes one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SetLane<TFormat>(Vector128<byte>* vector, int lane, ulong value)
        where TFormat : struct, IFloatFormat
    {
        if (FloatFormat<TFormat>.Size == 8)
            ((ulong*)vector)[lane] = value;
        else
            ((uint*)vector)[lane] = (uint)value;
    }

    /// <summary>Elements of a register.</summary>
    public static int Lanes<TFormat>()
        where TFormat : struct, IFloatFormat => 16 / FloatFormat<TFormat>.Size;

    private static Outcome Packed<TOperation, TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < Lanes<TFormat>(); lane++)
        {
            ulong a = Lane<TFormat>(d, lane), b = Lane<TFormat>(&source, lane);
            SetLane<TFormat>(&result, lane, HostFloat.Apply<TOperation, TFormat>(a, b, mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        *d = result;
        return Outcome.Next;
    }

    private static Outcome Scalar<TOperation, TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.ScalarSource(cpu, s, i, 1, FloatFormat<TFormat>.Size, out ulong source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        uint flags = 0;
        ulong result = HostFloat.Apply<TOperation, TFormat>(Lane<TFormat>(d, 0), source, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        SetLane<TFormat>(d, 0, result);
        return Outcome.Next;
    }

    private static Outcome Horizontal<TOperation, TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TOperation : struct, IFloatOperation
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        int half = Lanes<TFormat>() / 2;
        for (int lane = 0; lane < half; lane++)
        {
            SetLane<TFormat>(&result, lane,
                HostFloat.Apply<TOperation, TFormat>(Lane<TFormat>(d, 2 * lane), Lane<TFormat>(d, (2 * lane) + 1), mxcsr, ref flags));
            SetLane<TFormat>(&result, half + lane,
                HostFloat.Apply<TOperation, TFormat>(Lane<TFormat>(&source, 2 * lane), Lane<TFormat>(&source, (2 * lane) + 1), mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        *d = result;
        return Outcome.Next;
    }

    private static Outcome AddSubtract<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < Lanes<TFormat>(); lane++)
        {
            ulong a = Lane<TFormat>(d, lane), b = Lane<TFormat>(&source, lane);
            SetLane<TFormat>(&result, lane, (lane & 1) == 0
                ? HostFloat.Apply<FloatSubtract, TFormat>(a, b, mxcsr, ref flags)
                : HostFloat.Apply<FloatAdd, TFormat>(a, b, mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        *d = result;
        return Outcome.Next;
    }

    // Products of chosen elements, then pairwise sums; each stage reports and stops on its own.
    private static Outcome DotProduct<TFormat>(ProcessorCore cpu, VcpuState* s, Instruction* i)
        where TFormat : struct, IFloatFormat
    {
        if (!SimdOperands.Source(cpu, s, i, 1, out Vector128<byte> source))
            return cpu.Stopped;
        Vector128<byte>* d = SimdOperands.Xmm(s, i->Op0Register);
        uint mxcsr = s->Mxcsr, flags = 0;
        byte immediate = i->Immediate8;
        Vector128<byte> terms = default;
        int lanes = Lanes<TFormat>();
        for (int lane = 0; lane < lanes; lane++)
        {
            if ((immediate & (0x10 << lane)) == 0)
                continue;
            ulong a = Lane<TFormat>(d, lane), b = Lane<TFormat>(&source, lane);
            SetLane<TFormat>(&terms, lane, HostFloat.Apply<FloatMultiply, TFormat>(a, b, mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return cpu.Stopped;
        for (int count = lanes; count > 1; count /= 2)
        {
            flags = 0;
            for (int lane = 0; lane < count; lane += 2)
            {
                SetLane<TFormat>(&terms, lane / 2,
                    HostFloat.Apply<FloatAdd, TFormat>(Lane<TFormat>(&terms, lane), Lane<TFormat>(&terms, lane + 1), mxcsr, ref flags));
            }
            if (!SimdExceptions.Accept(cpu, s, flags))
                return cpu.Stopped;
        }
        ulong sum = Lane<TFormat>(&terms, 0);
        for (int lane = 0; lane < lanes; lane++)
            SetLane<TFormat>(d, lane, (immediate & (1 << lane)) != 0 ? sum : 0);
        return Outcome.Next;
    }

    public static void Register(InstructionTable table)
    {
        RegisterPacked(table);
        RegisterScalar(table);
        table.Set(Code.Haddps_xmm_xmmm128, &Horizontal<FloatAdd, Binary32>);
        table.Set(Code.Haddpd_xmm_xmmm128, &Horizontal<FloatAdd, Binary64>);
        table.Set(Code.Hsubps_xmm_xmmm128, &Horizontal<FloatSubtract, Binary32>);
        table.Set(Code.Hsubpd_xmm_xmmm128, &Horizontal<FloatSubtract, Binary64>);
        table.Set(Code.Addsubps_xmm_xmmm128, &AddSubtract<Binary32>);
        table.Set(Code.Addsubpd_xmm_xmmm128, &AddSubtract<Binary64>);
        table.Set(Code.Dpps_xmm_xmmm128_imm8, &DotProduct<Binary32>);
        table.Set(Code.Dppd_xmm_xmmm128_imm8, &DotProduct<Binary64>);
    }

    private static void RegisterPacked(InstructionTable table)
    {
        table.Set(Code.Addps_xmm_xmmm128, &Packed<FloatAdd, Binary32>);
        table.Set(Code.Addpd_xmm_xmmm128, &Packed<FloatAdd, Binary64>);
        table.Set(Code.Subps_xmm_xmmm128, &Packed<FloatSubtract, Binary32>);
        table.Set(Code.Subpd_xmm_xmmm128, &Packed<FloatSubtract, Binary64>);
        table.Set(Code.Mulps_xmm_xmmm128, &Packed<FloatMultiply, Binary32>);
        table.Set(Code.Mulpd_xmm_xmmm128, &Packed<FloatMultiply, Binary64>);
        table.Set(Code.Divps_xmm_xmmm128, &Packed<FloatDivide, Binary32>);
        table.Set(Code.Divpd_xmm_xmmm128, &Packed<FloatDivide, Binary64>);
        table.Set(Code.Sqrtps_xmm_xmmm128, &Packed<FloatSquareRoot, Binary32>);
        table.Set(Code.Sqrtpd_xmm_xmmm128, &Packed<FloatSquareRoot, Binary64>);
        table.Set(Code.Minps_xmm_xmmm128, &Packed<FloatMinimum, Binary32>);
        table.Set(Code.Minpd_xmm_xmmm128, &Packed<FloatMinimum, Binary64>);
        table.Set(Code.Maxps_xmm_xmmm128, &Packed<FloatMaximum, Binary32>);
        table.Set(Code.Maxpd_xmm_xmmm128, &Packed<FloatMaximum, Binary64>);
    }

    private static void RegisterScalar(InstructionTable table)
    {
        table.Set(Code.Addss_xmm_xmmm32, &Scalar<FloatAdd, Binary32>);
        table.Set(Code.Addsd_xmm_xmmm64, &Scalar<FloatAdd, Binary64>);
        table.Set(Code.Subss_xmm_xmmm32, &Scalar<FloatSubtract, Binary32>);
        table.Set(Code.Subsd_xmm_xmmm64, &Scalar<FloatSubtract, Binary64>);
        table.Set(Code.Mulss_xmm_xmmm32, &Scalar<FloatMultiply, Binary32>);
        table.Set(Code.Mulsd_xmm_xmmm64, &Scalar<FloatMultiply, Binary64>);
        table.Set(Code.Divss_xmm_xmmm32, &Scalar<FloatDivide, Binary32>);
        table.Set(Code.Divsd_xmm_xmmm64, &Scalar<FloatDivide, Binary64>);
        table.Set(Code.Sqrtss_xmm_xmmm32, &Scalar<FloatSquareRoot, Binary32>);
        table.Set(Code.Sqrtsd_xmm_xmmm64, &Scalar<FloatSquareRoot, Binary64>);
        table.Set(Code.Minss_xmm_xmmm32, &Scalar<FloatMinimum, Binary32>);
        table.Set(Code.Minsd_xmm_xmmm64, &Scalar<FloatMinimum, Binary64>);
        table.Set(Code.Maxss_xmm_xmmm32, &Scalar<FloatMaximum, Binary32>);
        table.Set(Code.Maxsd_xmm_xmmm64, &Scalar<FloatMaximum, Binary64>);
    }
}
