using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Compact operations without exceptions. SAFETY: offsets come from decoded operations; a source has at least Size readable bytes.

/// <summary>A packed operation.</summary>
internal readonly unsafe struct PackedOperation<TOperation> : ISimdOperation
    where TOperation : struct, IPackedOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TOperation.Apply(*d, *(Vector128<byte>*)source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A packed operation with an immediate byte.</summary>
internal readonly unsafe struct PackedImmediateOperation<TOperation> : ISimdOperation
    where TOperation : struct, IPackedImmediateOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TOperation.Apply(*d, *(Vector128<byte>*)source, (byte)op->Immediate);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A packed shift by the source's low quadword.</summary>
internal readonly unsafe struct PackedShiftOperation<TShift> : ISimdOperation
    where TShift : struct, IPackedShift
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TShift.Apply(*d, *(ulong*)source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A packed shift by an immediate; there is no source.</summary>
internal readonly unsafe struct PackedShiftImmediateOperation<TShift> : ISimdOperation
    where TShift : struct, IPackedShift
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Vector128<byte>* d = (Vector128<byte>*)((byte*)s + op->Destination);
        *d = TShift.Apply(*d, (byte)op->Immediate);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>MOVAPS, MOVAPD, MOVDQA.</summary>
internal readonly unsafe struct AlignedMove : ISimdOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(Vector128<byte>*)((byte*)s + op->Destination) = *(Vector128<byte>*)source;
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>MOVUPS, MOVUPD, MOVDQU.</summary>
internal readonly unsafe struct UnalignedMove : ISimdOperation
{
    public static int Size => 16;

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(Vector128<byte>*)((byte*)s + op->Destination) = *(Vector128<byte>*)source;
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A part of a register, the rest kept: MOVSD and MOVSS between registers, MOVLPD, MOVHPD.</summary>
internal readonly unsafe struct PartialMove<T> : ISimdOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(T*)((byte*)s + op->Destination) = *(T*)source;
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A quadword, the rest cleared: MOVQ, MOVSD from memory.</summary>
internal readonly unsafe struct QuadwordMove : ISimdOperation
{
    public static int Size => 8;

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(Vector128<ulong>*)((byte*)s + op->Destination) = Vector128.CreateScalar(*(ulong*)source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>A doubleword, the rest cleared: MOVD, MOVSS from memory.</summary>
internal readonly unsafe struct DoublewordMove : ISimdOperation
{
    public static int Size => 4;

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(Vector128<uint>*)((byte*)s + op->Destination) = Vector128.CreateScalar(*(uint*)source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>To a general register: MOVD, MOVQ.</summary>
internal readonly unsafe struct GeneralMove<T> : ISimdOperation
    where T : unmanaged
{
    public static int Size => sizeof(T);

    public static bool Aligned => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        Width.Set(s, op->Destination, *(T*)source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>PMOVMSKB.</summary>
internal readonly unsafe struct ByteMask : ISimdOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<byte>*)source)->ExtractMostSignificantBits();
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>MOVMSKPD.</summary>
internal readonly unsafe struct DoubleMask : ISimdOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<ulong>*)source)->ExtractMostSignificantBits();
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}

/// <summary>MOVMSKPS.</summary>
internal readonly unsafe struct SingleMask : ISimdOperation
{
    public static int Size => 16;

    public static bool Aligned => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        *(ulong*)((byte*)s + op->Destination) = ((Vector128<uint>*)source)->ExtractMostSignificantBits();
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}
