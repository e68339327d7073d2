using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// VROUNDPS and its kin, VRCPPS, VRSQRTPS. SAFETY: as IVexOperation says.

/// <summary>VROUNDPS, VROUNDPD.</summary>
internal readonly unsafe struct VexRound<TFormat, TWidth> : IVexOperation
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) => false;

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<byte> result = default;
        uint mode = FloatComparisons.RoundingMode(s->Mxcsr, (byte)immediate), flags = 0;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
            VexLanes.Set<TFormat>(&result, lane, VexRoundScalar<TFormat>.Round(VexLanes.Get<TFormat>(b, lane), mode, ref flags));
        return VexLanes.Finish(cpu, s, FloatComparisons.Reported(flags, (byte)immediate), d, result);
    }
}

/// <summary>VROUNDSS, VROUNDSD.</summary>
internal readonly unsafe struct VexRoundScalar<TFormat> : IVexOperation
    where TFormat : struct, IFloatFormat
{
    public static int Size => FloatFormat<TFormat>.Size;

    /// <summary>One element: a normal number as the host rounds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Round(ulong x, uint mode, ref uint flags)
    {
        if (!FloatFormat<TFormat>.IsNormal(x))
            return SoftFloat<TFormat>.ToIntegral(x, mode, ref flags);
        double value = FloatFormat<TFormat>.Size == 8 ? BitConverter.UInt64BitsToDouble(x) : BitConverter.UInt32BitsToSingle((uint)x);
        double rounded = (mode & MxcsrBits.Rounding) switch
        {
            MxcsrBits.RoundNearest => Math.Round(value),
            MxcsrBits.RoundDown => Math.Floor(value),
            MxcsrBits.RoundUp => Math.Ceiling(value),
            _ => Math.Truncate(value),
        };
        if (rounded != value)
            flags |= MxcsrBits.Precision;
        return FloatFormat<TFormat>.Size == 8 ? BitConverter.DoubleToUInt64Bits(rounded) : BitConverter.SingleToUInt32Bits((float)rounded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) => false;

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        uint flags = 0;
        ulong result = Round(
            VexLanes.Get<TFormat>(b, 0), FloatComparisons.RoundingMode(s->Mxcsr, (byte)immediate), ref flags);
        if (!SimdExceptions.Accept(cpu, s, FloatComparisons.Reported(flags, (byte)immediate)))
            return false;
        VexLanes.Merge<TFormat>(d, a, result);
        return true;
    }
}

/// <summary>An approximation of one element.</summary>
internal interface IApproximation
{
    static abstract uint Apply(uint x);
}

/// <summary>VRCPPS, VRCPSS.</summary>
internal readonly struct ReciprocalApproximation : IApproximation
{
    public static uint Apply(uint x) => FloatApproximations.Reciprocal(x);
}

/// <summary>VRSQRTPS, VRSQRTSS.</summary>
internal readonly struct RootApproximation : IApproximation
{
    public static uint Apply(uint x) => FloatApproximations.ReciprocalSquareRoot(x);
}

/// <summary>A packed approximation.</summary>
internal readonly unsafe struct VexApproximate<TApproximation, TWidth> : IVexPlainOperation
    where TApproximation : struct, IApproximation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<uint> result = default;
        for (int lane = 0; lane < TWidth.Bytes / 4; lane++)
            ((uint*)&result)[lane] = TApproximation.Apply(((uint*)b)[lane]);
        *(Vector256<uint>*)d = result;
    }
}

/// <summary>A scalar approximation.</summary>
internal readonly unsafe struct VexApproximateScalar<TApproximation> : IVexPlainOperation
    where TApproximation : struct, IApproximation
{
    public static int Size => 4;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) =>
        VexLanes.Merge<Binary32>(d, a, TApproximation.Apply(*(uint*)b));
}
