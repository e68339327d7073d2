using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Compact operations that may raise SIMD exceptions: the ordinary case on the host's unit, every other one in integers.
// SAFETY: offsets come from decoded operations; a source has at least Size readable bytes.

/// <summary>Scalar arithmetic.</summary>
internal readonly unsafe struct ScalarFloat<TOperation, TFormat> : ISimdOperation
    where TOperation : struct, IFloatOperation
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
        byte* d = (byte*)s + op->Destination;
        ulong a = Size == 8 ? *(ulong*)d : *(uint*)d;
        ulong b = Size == 8 ? *(ulong*)source : *(uint*)source;
        ulong result = TOperation.Host<TFormat>(a, b);
        if (!HostFloat.Usual(s->Mxcsr) || !TOperation.Ordinary<TFormat>(a, b, result))
            return false;
        if (Size == 8)
            *(ulong*)d = result;
        else
            *(uint*)d = (uint)result;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        uint flags = 0;
        ulong b = Size == 8 ? *(ulong*)source : *(uint*)source;
        ulong result = TOperation.Apply<TFormat>(FloatInstructions.Lane<TFormat>(d, 0), b, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        FloatInstructions.SetLane<TFormat>(d, 0, result);
        return true;
    }
}

/// <summary>Packed arithmetic.</summary>
internal readonly unsafe struct PackedFloat<TOperation, TFormat> : ISimdOperation
    where TOperation : struct, IFloatOperation
    where TFormat : struct, IFloatFormat
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        if (FloatFormat<TFormat>.Size != 8 || !HostFloat.Usual(s->Mxcsr))
            return false;
        ulong* d = (ulong*)((byte*)s + op->Destination);
        ulong a0 = d[0], a1 = d[1], b0 = ((ulong*)source)[0], b1 = ((ulong*)source)[1];
        ulong result0 = TOperation.Host<TFormat>(a0, b0), result1 = TOperation.Host<TFormat>(a1, b1);
        if (!TOperation.Ordinary<TFormat>(a0, b0, result0) || !TOperation.Ordinary<TFormat>(a1, b1, result1))
            return false;
        d[0] = result0;
        d[1] = result1;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < FloatInstructions.Lanes<TFormat>(); lane++)
        {
            FloatInstructions.SetLane<TFormat>(&result, lane, TOperation.Apply<TFormat>(FloatInstructions.Lane<TFormat>(d, lane),
                FloatInstructions.Lane<TFormat>((Vector128<byte>*)source, lane), mxcsr, ref flags));
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *d = result;
        return true;
    }
}

/// <summary>COMISS, COMISD, UCOMISS, UCOMISD.</summary>
internal readonly unsafe struct CompareFloat<TFormat, TSignalling> : ISimdOperation
    where TFormat : struct, IFloatFormat
    where TSignalling : struct, ISignalling
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
        byte* d = (byte*)s + op->Destination;
        ulong a = Size == 8 ? *(ulong*)d : *(uint*)d;
        ulong b = Size == 8 ? *(ulong*)source : *(uint*)source;
        if (!Comparable(a) || !Comparable(b))
            return false;
        // Only ZF and CF can be set: the result is zero when equal, else a positive number of odd parity.
        bool less = HostFloat.Less<TFormat>(a, b), greater = HostFloat.Less<TFormat>(b, a);
        s->FlagResult = less || greater ? 1UL : 0;
        s->FlagCarry = less ? 1U : 0;
        s->FlagCarries = less ? 1UL << 63 : 0;
        if (!less && !greater)
            s->FlagCarry = InvertParity;
        return true;
    }

    private const uint InvertParity = 0x200;

    // Neither a NaN nor a denormal, so that no exception can arise.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Comparable(ulong x) => FloatFormat<TFormat>.IsNormal(x) || FloatFormat<TFormat>.Magnitude(x) == 0;

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        uint flags = 0;
        ulong b = Size == 8 ? *(ulong*)source : *(uint*)source;
        ulong a = FloatInstructions.Lane<TFormat>((Vector128<byte>*)((byte*)s + op->Destination), 0);
        FloatRelation relation = SoftFloat<TFormat>.Compare(a, b, TSignalling.Value, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        LazyFlags.SetArithmetic(s, FloatComparisons.StatusFlags(relation));
        return true;
    }
}

/// <summary>Whether a comparison finds quiet NaNs invalid.</summary>
internal interface ISignalling
{
    static abstract bool Value { get; }
}

/// <summary>COMIS.</summary>
internal readonly struct Signalling : ISignalling
{
    public static bool Value => true;
}

/// <summary>UCOMIS.</summary>
internal readonly struct NonSignalling : ISignalling
{
    public static bool Value => false;
}
