using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>Floating-point elements of registers and results.</summary>
// SAFETY: pointers are as IVexOperation says; lanes stay inside 32 bytes.
internal static unsafe class VexLanes
{
    /// <summary>Reads one element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Get<TFormat>(byte* vector, int lane)
        where TFormat : struct, IFloatFormat => FloatFormat<TFormat>.Size switch
        {
            8 => ((ulong*)vector)[lane],
            4 => ((uint*)vector)[lane],
            _ => ((ushort*)vector)[lane],
        };

    /// <summary>Writes one element of a result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Set<TFormat>(Vector256<byte>* vector, int lane, ulong value)
        where TFormat : struct, IFloatFormat
    {
        if (FloatFormat<TFormat>.Size == 8)
            ((ulong*)vector)[lane] = value;
        else if (FloatFormat<TFormat>.Size == 4)
            ((uint*)vector)[lane] = (uint)value;
        else
            ((ushort*)vector)[lane] = (ushort)value;
    }

    /// <summary>A scalar result: what is above it comes from the first source, the upper half becomes zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Merge<TFormat>(byte* d, byte* a, ulong value)
        where TFormat : struct, IFloatFormat
    {
        if (FloatFormat<TFormat>.Size == 4)
            value = (((ulong*)a)[0] & 0xFFFF_FFFF_0000_0000) | (uint)value;
        VexDestination.Set(d, Vector128.Create(value, ((ulong*)a)[1]).AsByte());
    }

    /// <summary>
    /// Stores a whole result unless an exception stops the instruction; what the width does not reach is zero in it already.
    /// </summary>
    [MethodImpl(Dispatch.Separate)]
    public static bool Finish(ProcessorCore cpu, VcpuState* s, uint flags, byte* d, in Vector256<byte> result)
    {
        if (!SimdExceptions.Accept(cpu, s, flags))
            return false;
        *(Vector256<byte>*)d = result;
        return true;
    }
}
