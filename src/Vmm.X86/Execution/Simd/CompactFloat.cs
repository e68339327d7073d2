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
        ulong result = HostFloat.Apply<TOperation, TFormat>(FloatInstructions.Lane<TFormat>(d, 0), b, s->Mxcsr, ref flags);
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
        if (!HostFloat.Usual(s->Mxcsr))
            return false;
        byte* d = (byte*)s + op->Destination;
        if (FloatFormat<TFormat>.Size == 8)
        {
            Vector128<double> a = *(Vector128<double>*)d, b = *(Vector128<double>*)source;
            Vector128<double> result = TOperation.Host(a, b);
            if (!Ordinary(a.AsInt64(), b.AsInt64(), result.AsInt64(), 1L << 52, 0x7FFL << 52))
                return false;
            *(Vector128<double>*)d = result;
        }
        else
        {
            Vector128<float> a = *(Vector128<float>*)d, b = *(Vector128<float>*)source;
            Vector128<float> result = TOperation.Host(a, b);
            if (!Ordinary(a.AsInt32(), b.AsInt32(), result.AsInt32(), 1 << 23, 0xFF << 23))
                return false;
            *(Vector128<float>*)d = result;
        }
        return true;
    }

    // Every lane: operands normal or zero; the result normal and not the smallest such number, or zero because an operand is,
    // or by cancellation.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Ordinary<T>(Vector128<T> a, Vector128<T> b, Vector128<T> result, T hidden, T infinity)
    {
        Vector128<T> one = Vector128.Create(hidden), exponents = Vector128.Create(infinity);
        Vector128<T> within = exponents & ~one;
        Vector128<T> zeroB = Vector128.Equals(b + b, Vector128<T>.Zero);
        Vector128<T> odd = Vector128.AndNot(Vector128.Equals((b + one) & within, Vector128<T>.Zero), zeroB);
        Vector128<T> exact = zeroB;
        if (!TOperation.Unary)
        {
            Vector128<T> zeroA = Vector128.Equals(a + a, Vector128<T>.Zero);
            odd |= Vector128.AndNot(Vector128.Equals((a + one) & within, Vector128<T>.Zero), zeroA);
            exact |= zeroA;
        }
        if (TOperation.Additive)
            exact = Vector128<T>.AllBitsSet;
        exact &= Vector128.Equals(result + result, Vector128<T>.Zero);
        Vector128<T> scale = result & exponents;
        odd |= ~((Vector128.GreaterThan(scale, one) & Vector128.LessThan(scale, exponents)) | exact);
        return odd == Vector128<T>.Zero;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < FloatInstructions.Lanes<TFormat>(); lane++)
        {
            FloatInstructions.SetLane<TFormat>(&result, lane, HostFloat.Apply<TOperation, TFormat>(FloatInstructions.Lane<TFormat>(d, lane),
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
        if (!HostFloat.Comparable<TFormat>(a) || !HostFloat.Comparable<TFormat>(b))
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

/// <summary>CMPSS, CMPSD: a mask.</summary>
internal readonly unsafe struct ScalarFloatTest<TFormat> : ISimdOperation
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
        if (!HostFloat.Comparable<TFormat>(a) || !HostFloat.Comparable<TFormat>(b))
            return false;
        bool less = HostFloat.Less<TFormat>(a, b), equal = !less && !HostFloat.Less<TFormat>(b, a);
        int predicate = (int)op->Immediate;
        bool holds = (less && (predicate & 3) is 1 or 2) || (equal && (predicate & 3) is 0 or 2);
        ulong mask = holds != ((predicate & 4) != 0) ? ulong.MaxValue : 0;
        if (Size == 8)
            *(ulong*)d = mask;
        else
            *(uint*)d = (uint)mask;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        uint flags = 0;
        ulong b = Size == 8 ? *(ulong*)source : *(uint*)source;
        bool holds = SoftFloat<TFormat>.Test(FloatInstructions.Lane<TFormat>(d, 0), b, (int)op->Immediate & 7, s->Mxcsr, ref flags);
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        FloatInstructions.SetLane<TFormat>(d, 0, holds ? ulong.MaxValue : 0);
        return true;
    }
}

/// <summary>CMPPS, CMPPD: masks.</summary>
internal readonly unsafe struct PackedFloatTest<TFormat> : ISimdOperation
    where TFormat : struct, IFloatFormat
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source) => false;

    [MethodImpl(MethodImplOptions.NoInlining)] // its locals must not keep a handler from making tail calls
    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        Vector128<byte> result = default;
        uint mxcsr = s->Mxcsr, flags = 0;
        for (int lane = 0; lane < FloatInstructions.Lanes<TFormat>(); lane++)
        {
            bool holds = SoftFloat<TFormat>.Test(FloatInstructions.Lane<TFormat>(d, lane),
                FloatInstructions.Lane<TFormat>((Vector128<byte>*)source, lane), (int)op->Immediate & 7, mxcsr, ref flags);
            FloatInstructions.SetLane<TFormat>(&result, lane, holds ? ulong.MaxValue : 0);
        }
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *d = result;
        return true;
    }
}
