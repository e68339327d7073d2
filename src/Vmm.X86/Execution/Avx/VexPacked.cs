using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

// Operations without exceptions on 128-bit lanes, each lane as SSE's registers (SDM Vol. 1 14.3.1).
// SAFETY: a, b and d have at least TWidth bytes (d always 32).

/// <summary>A short packed operation.</summary>
internal readonly unsafe struct VexPacked<TOperation, TWidth> : IVexPlainOperation
    where TOperation : struct, IPackedOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte>* x = (Vector128<byte>*)d, y = (Vector128<byte>*)a, z = (Vector128<byte>*)b;
        x[0] = TOperation.Apply(y[0], z[0]);
        x[1] = TWidth.Bytes == 32 ? TOperation.Apply(y[1], z[1]) : default;
    }
}

/// <summary>A packed operation too long for a handler without a frame.</summary>
internal readonly unsafe struct VexPackedCall<TOperation, TWidth> : IVexPlainOperation
    where TOperation : struct, IPackedOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b) =>
        VexPacked<TOperation, TWidth>.Apply(s, immediate, d, a, b);
}

/// <summary>A packed operation with an immediate, of which the upper lane may take its own bits.</summary>
internal readonly unsafe struct VexPackedImmediate<TOperation, TWidth> : IVexPlainOperation
    where TOperation : struct, IPackedImmediateOperation
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte>* x = (Vector128<byte>*)d, y = (Vector128<byte>*)a, z = (Vector128<byte>*)b;
        x[0] = TOperation.Apply(y[0], z[0], (byte)immediate);
        x[1] = TWidth.Bytes == 32 ? TOperation.Apply(y[1], z[1], (byte)(immediate >> TOperation.UpperLaneShift)) : default;
    }
}

/// <summary>A shift of every element by the second source's low quadword.</summary>
internal readonly unsafe struct VexShift<TShift, TWidth> : IVexPlainOperation
    where TShift : struct, IPackedShift
    where TWidth : struct, IVexWidth
{
    public static int Size => 16;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte>* x = (Vector128<byte>*)d, y = (Vector128<byte>*)a;
        ulong count = *(ulong*)b;
        x[0] = TShift.Apply(y[0], count);
        x[1] = TWidth.Bytes == 32 ? TShift.Apply(y[1], count) : default;
    }
}

/// <summary>A shift of the source's elements by an immediate.</summary>
internal readonly unsafe struct VexShiftImmediate<TShift, TWidth> : IVexPlainOperation
    where TShift : struct, IPackedShift
    where TWidth : struct, IVexWidth
{
    public static int Size => TWidth.Bytes;

    [MethodImpl(Dispatch.Separate)]
    public static void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        Vector128<byte>* x = (Vector128<byte>*)d, y = (Vector128<byte>*)b;
        x[0] = TShift.Apply(y[0], immediate);
        x[1] = TWidth.Bytes == 32 ? TShift.Apply(y[1], immediate) : default;
    }
}
