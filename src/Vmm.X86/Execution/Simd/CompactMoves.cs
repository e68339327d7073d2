using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Compact operations without exceptions. SAFETY: offsets come from decoded operations; a source has at least Size readable bytes.

/// <summary>A packed operation.</summary>
internal readonly unsafe struct PackedOperation<TOperation> : ISimdPlainOperation
    where TOperation : struct, IPackedOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TOperation.Apply(*d, *(Vector128<byte>*)source);
    }
}

/// <summary>A packed operation with an immediate byte.</summary>
internal readonly unsafe struct PackedImmediateOperation<TOperation> : ISimdPlainOperation
    where TOperation : struct, IPackedImmediateOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TOperation.Apply(*d, *(Vector128<byte>*)source, (byte)op->Immediate);
    }
}

/// <summary>A packed shift by the source's low quadword.</summary>
internal readonly unsafe struct PackedShiftOperation<TShift> : ISimdPlainOperation
    where TShift : struct, IPackedShift
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TShift.Apply(*d, *(ulong*)source);
    }
}

/// <summary>A packed shift by an immediate; there is no source.</summary>
internal readonly unsafe struct PackedShiftImmediateOperation<TShift> : ISimdPlainOperation
    where TShift : struct, IPackedShift
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TShift.Apply(*d, (byte)op->Immediate);
    }
}

/// <summary>MOVAPS, MOVAPD, MOVDQA.</summary>
internal readonly unsafe struct AlignedMove : ISimdPlainOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(Vector128<byte>*)((byte*)s + op->Destination) = *(Vector128<byte>*)source;
}

/// <summary>MOVUPS, MOVUPD, MOVDQU.</summary>
internal readonly unsafe struct UnalignedMove : ISimdPlainOperation
{
    public static int Size => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(Vector128<byte>*)((byte*)s + op->Destination) = *(Vector128<byte>*)source;
}

/// <summary>A part of a register, the rest kept: MOVSD and MOVSS between registers, MOVLPD, MOVHPD.</summary>
internal readonly unsafe struct PartialMove<T> : ISimdPlainOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(T*)((byte*)s + op->Destination) = *(T*)source;
}

/// <summary>A quadword, the rest cleared: MOVQ, MOVSD from memory.</summary>
internal readonly unsafe struct QuadwordMove : ISimdPlainOperation
{
    public static int Size => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(Vector128<ulong>*)((byte*)s + op->Destination) = Vector128.CreateScalar(*(ulong*)source);
}

/// <summary>A doubleword, the rest cleared: MOVD, MOVSS from memory.</summary>
internal readonly unsafe struct DoublewordMove : ISimdPlainOperation
{
    public static int Size => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(Vector128<uint>*)((byte*)s + op->Destination) = Vector128.CreateScalar(*(uint*)source);
}

/// <summary>To a general register: MOVD, MOVQ.</summary>
internal readonly unsafe struct GeneralMove<T> : ISimdPlainOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        Width.Set(s, op->Destination, *(T*)source);
}

/// <summary>PMOVMSKB.</summary>
internal readonly unsafe struct ByteMask : ISimdPlainOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<byte>*)source)->ExtractMostSignificantBits();
}

/// <summary>MOVMSKPD.</summary>
internal readonly unsafe struct DoubleMask : ISimdPlainOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<ulong>*)source)->ExtractMostSignificantBits();
}

/// <summary>MOVMSKPS.</summary>
internal readonly unsafe struct SingleMask : ISimdPlainOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, DecodedOperation* op, byte* source) =>
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<uint>*)source)->ExtractMostSignificantBits();
}
