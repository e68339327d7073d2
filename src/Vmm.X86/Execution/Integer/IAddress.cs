using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>
/// A memory operand's linear address where no segment check can fail before the access: 64-bit code, or flat 32-bit code. An address that
/// is not
/// canonical has no TLB entry, so the slow path finds it.
/// </summary>
internal unsafe interface IAddress
{
    static abstract ulong Get(VcpuState* s, DecodedOperation* op);
}

/// <summary>[base + displacement]</summary>
internal readonly unsafe struct BaseAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(VcpuState* s, DecodedOperation* op) => *(ulong*)((byte*)s + op->Base) + (ulong)op->Displacement;
}

/// <summary>[base + index * scale + displacement]</summary>
internal readonly unsafe struct IndexedAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(VcpuState* s, DecodedOperation* op) =>
        *(ulong*)((byte*)s + op->Base) + (*(ulong*)((byte*)s + op->Index) << (op->Form & 3)) + (ulong)op->Displacement;
}

/// <summary>[RIP + displacement], the displacement counted from the page's first byte.</summary>
internal readonly unsafe struct RipAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(VcpuState* s, DecodedOperation* op) => s->PageRip + (ulong)op->Displacement;
}

/// <summary>FS: or GS:[base + index * scale + displacement] in 64-bit code.</summary>
internal readonly unsafe struct ThreadAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(VcpuState* s, DecodedOperation* op) =>
        IndexedAddress.Get(s, op) + ((SegmentRegister*)&s->Segments)[(op->Form >> 2) & 7].Base;
}

/// <summary>[base + index * scale + displacement], 32 bits, flat segments.</summary>
internal readonly unsafe struct ShortAddress : IAddress
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get(VcpuState* s, DecodedOperation* op) => (uint)IndexedAddress.Get(s, op);
}
