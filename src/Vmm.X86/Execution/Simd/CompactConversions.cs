using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Compact conversions. SAFETY: offsets come from decoded operations; a source has at least Size readable bytes.

/// <summary>CVTSI2SS, CVTSI2SD from an integer of type <typeparamref name="T"/>.</summary>
internal readonly unsafe struct IntegerToFloat<T, TFormat> : ISimdOperation
    where T : unmanaged
    where TFormat : struct, IFloatFormat
{
    public static int Size => sizeof(T);

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Value(byte* source) => sizeof(T) == 4 ? *(int*)source : *(long*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        byte* d = (byte*)s + op->Destination;
        if (typeof(TFormat) == typeof(Binary64))
        {
            if (sizeof(T) != 4 && !HostFloat.Usual(s->Mxcsr))
                return false;
            *(double*)d = Value(source);
            return true;
        }
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        *(float*)d = Value(source);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint flags = 0;
        ulong result = FloatConversions.FromInteger<TFormat>(Value(source), s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        FloatInstructions.SetLane<TFormat>((Vector128<byte>*)((byte*)s + op->Destination), 0, result);
        return true;
    }
}

/// <summary>CVTTSS2SI, CVTTSD2SI to an integer of type <typeparamref name="T"/>.</summary>
internal readonly unsafe struct FloatToInteger<T, TFormat> : ISimdOperation
    where T : unmanaged
    where TFormat : struct, IFloatFormat
{
    public static int Size
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => FloatFormat<TFormat>.Size;
    }

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        // Where the exponent keeps it below 2^31, and inexactness is recorded already.
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        ulong x = Size == 8 ? *(ulong*)source : *(uint*)source;
        if (((x >> (Size == 8 ? 52 : 23)) & (ulong)FloatFormat<TFormat>.LargestExponent) - 1 >= (ulong)FloatFormat<TFormat>.Bias + 30)
            return false;
        int result = Size == 8 ? (int)BitConverter.UInt64BitsToDouble(x) : (int)BitConverter.UInt32BitsToSingle((uint)x);
        *(ulong*)((byte*)s + op->Destination) = sizeof(T) == 4 ? (uint)result : (ulong)result;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint flags = 0;
        ulong x = Size == 8 ? *(ulong*)source : *(uint*)source;
        long result = SoftFloat<TFormat>.ToInteger(x, sizeof(T) * 8, FloatConversions.Truncating(s->Mxcsr), ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *(ulong*)((byte*)s + op->Destination) = sizeof(T) == 4 ? (uint)result : (ulong)result;
        return true;
    }
}

/// <summary>CVTSS2SD.</summary>
internal readonly unsafe struct SingleToDouble : ISimdOperation
{
    public static int Size => 4;

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint x = *(uint*)source;
        if (!FloatFormat<Binary32>.IsNormal(x))
            return false;
        *(double*)((byte*)s + op->Destination) = BitConverter.UInt32BitsToSingle(x);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint flags = 0;
        ulong result = SoftFloat<Binary32>.Convert<Binary64>(*(uint*)source, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *(ulong*)((byte*)s + op->Destination) = result;
        return true;
    }
}

/// <summary>CVTSD2SS.</summary>
internal readonly unsafe struct DoubleToSingle : ISimdOperation
{
    public static int Size => 8;

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        ulong x = *(ulong*)source;
        uint result = BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(x));
        if (!HostFloat.Usual(s->Mxcsr) || !FloatFormat<Binary64>.IsNormal(x) || !HostFloat.Comfortable<Binary32>(result))
            return false;
        *(uint*)((byte*)s + op->Destination) = result;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint flags = 0;
        ulong result = SoftFloat<Binary64>.Convert<Binary32>(*(ulong*)source, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *(uint*)((byte*)s + op->Destination) = (uint)result;
        return true;
    }
}

/// <summary>CVTDQ2PD.</summary>
internal readonly unsafe struct IntegersToDoubles : ISimdPlainOperation
{
    public static int Size => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        int low = ((int*)source)[0], high = ((int*)source)[1];
        double* d = (double*)((byte*)s + op->Destination);
        d[0] = low;
        d[1] = high;
    }
}
