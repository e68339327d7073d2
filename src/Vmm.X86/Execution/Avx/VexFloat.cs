using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Floating-point arithmetic: the ordinary case on the host's unit, every other one in integers (see HostFloat and SoftFloat).
// SAFETY: as IVexOperation says.

/// <summary>Packed arithmetic.</summary>
internal readonly unsafe struct VexFloat<TOperation, TFormat, TWidth> : IVexOperation
    where TOperation : struct, IFloatOperation
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        if (FloatFormat<TFormat>.Size == 8)
        {
            Vector128<double> x = *(Vector128<double>*)a, y = *(Vector128<double>*)b, low = TOperation.Host(x, y);
            if (!PackedFloat<TOperation, TFormat>.Ordinary(x.AsInt64(), y.AsInt64(), low.AsInt64(), 1L << 52, 0x7FFL << 52))
                return false;
            Vector128<double> high = default;
            if (TWidth.Bytes == 32)
            {
                x = ((Vector128<double>*)a)[1];
                y = ((Vector128<double>*)b)[1];
                high = TOperation.Host(x, y);
                if (!PackedFloat<TOperation, TFormat>.Ordinary(x.AsInt64(), y.AsInt64(), high.AsInt64(), 1L << 52, 0x7FFL << 52))
                    return false;
            }
            ((Vector128<double>*)d)[0] = low;
            ((Vector128<double>*)d)[1] = high;
        }
        else
        {
            Vector128<float> x = *(Vector128<float>*)a, y = *(Vector128<float>*)b, low = TOperation.Host(x, y);
            if (!PackedFloat<TOperation, TFormat>.Ordinary(x.AsInt32(), y.AsInt32(), low.AsInt32(), 1 << 23, 0xFF << 23))
                return false;
            Vector128<float> high = default;
            if (TWidth.Bytes == 32)
            {
                x = ((Vector128<float>*)a)[1];
                y = ((Vector128<float>*)b)[1];
                high = TOperation.Host(x, y);
                if (!PackedFloat<TOperation, TFormat>.Ordinary(x.AsInt32(), y.AsInt32(), high.AsInt32(), 1 << 23, 0xFF << 23))
                    return false;
            }
            ((Vector128<float>*)d)[0] = low;
            ((Vector128<float>*)d)[1] = high;
        }
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
            VexLanes.Set<TFormat>(&result, lane,
                HostFloat.Apply<TOperation, TFormat>(VexLanes.Get<TFormat>(a, lane), VexLanes.Get<TFormat>(b, lane), mxcsr, ref flags));
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>Scalar arithmetic; what is above the element comes from the first source.</summary>
internal readonly unsafe struct VexScalarFloat<TOperation, TFormat> : IVexOperation
    where TOperation : struct, IFloatOperation
    where TFormat : struct, IFloatFormat
{
    public static int Size => FloatFormat<TFormat>.Size;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        ulong x = VexLanes.Get<TFormat>(a, 0), y = VexLanes.Get<TFormat>(b, 0);
        ulong result = TOperation.Host<TFormat>(x, y);
        if (!HostFloat.Usual(s->Mxcsr) || !TOperation.Ordinary<TFormat>(x, y, result))
            return false;
        VexLanes.Merge<TFormat>(d, a, result);
        return true;
    }

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        uint flags = 0;
        ulong result = HostFloat.Apply<TOperation, TFormat>(VexLanes.Get<TFormat>(a, 0), VexLanes.Get<TFormat>(b, 0), s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        VexLanes.Merge<TFormat>(d, a, result);
        return true;
    }
}

/// <summary>VHADDPS and its kin: neighbours, in each 128-bit lane the first source's and then the second's.</summary>
internal readonly unsafe struct VexHorizontal<TOperation, TFormat, TWidth> : IVexOperation
    where TOperation : struct, IFloatOperation
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
        uint mxcsr = s->Mxcsr, flags = 0;
        int lanes = 16 / FloatFormat<TFormat>.Size, half = lanes / 2;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
        {
            byte* source = lane % lanes < half ? a : b;
            int first = (lane / lanes * lanes) + (lane % half * 2);
            VexLanes.Set<TFormat>(&result, lane, HostFloat.Apply<TOperation, TFormat>(
                VexLanes.Get<TFormat>(source, first), VexLanes.Get<TFormat>(source, first + 1), mxcsr, ref flags));
        }
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>VADDSUBPS, VADDSUBPD: even elements are subtracted, odd ones added.</summary>
internal readonly unsafe struct VexAddSubtract<TFormat, TWidth> : IVexOperation
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
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < TWidth.Bytes / FloatFormat<TFormat>.Size; lane++)
        {
            ulong x = VexLanes.Get<TFormat>(a, lane), y = VexLanes.Get<TFormat>(b, lane);
            VexLanes.Set<TFormat>(&result, lane, (lane & 1) == 0
                ? HostFloat.Apply<FloatSubtract, TFormat>(x, y, mxcsr, ref flags)
                : HostFloat.Apply<FloatAdd, TFormat>(x, y, mxcsr, ref flags));
        }
        return VexLanes.Finish(cpu, s, flags, d, result);
    }
}

/// <summary>VDPPS, VDPPD: both lanes' products, then both lanes' sums; each stage reports and stops on its own.</summary>
internal readonly unsafe struct VexDotProduct<TFormat, TWidth> : IVexOperation
    where TFormat : struct, IFloatFormat
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) => false;

    [MethodImpl(Dispatch.Separate)]
    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector256<byte> terms = default;
        uint flags = 0;
        int lanes = 16 / FloatFormat<TFormat>.Size, all = TWidth.Bytes / FloatFormat<TFormat>.Size;
        for (int lane = 0; lane < all; lane++)
        {
            if ((immediate & (0x10UL << (lane % lanes))) != 0)
                VexLanes.Set<TFormat>(&terms, lane,
                    HostFloat.Apply<FloatMultiply, TFormat>(VexLanes.Get<TFormat>(a, lane), VexLanes.Get<TFormat>(b, lane), s->Mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        for (int step = 1; step < lanes; step *= 2)
        {
            flags = 0;
            for (int lane = 0; lane < all; lane += 2 * step)
                VexLanes.Set<TFormat>(&terms, lane, HostFloat.Apply<FloatAdd, TFormat>(VexLanes.Get<TFormat>((byte*)&terms, lane),
                    VexLanes.Get<TFormat>((byte*)&terms, lane + step), s->Mxcsr, ref flags));
            if (!SimdExceptions.Accept(cpu, s, flags))
                return false;
        }
        Vector256<byte> result = default;
        for (int lane = 0; lane < all; lane++)
        {
            if ((immediate & (1UL << (lane % lanes))) != 0)
                VexLanes.Set<TFormat>(&result, lane, VexLanes.Get<TFormat>((byte*)&terms, lane / lanes * lanes));
        }
        *(Vector256<byte>*)d = result;
        return true;
    }
}
