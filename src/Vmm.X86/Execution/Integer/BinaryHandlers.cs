using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Two-operand instructions, and one-operand ones seen as such.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class BinaryHandlers
{
    // Bodies are apart from their handlers because the compiler gives a method of more than 100 bytes of IL a stack frame. For the same
    // reason turned round slow paths are written out in full: that size also keeps them from being inlined.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Apply<TOperation, T, TFlags>(VcpuState* s, nuint destination, T b)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        T a = Width.Get<T>(s, destination);
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Result<TOperation, T, TFlags>(VcpuState* s, T a, T b)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Change<TOperation, T>(VcpuState* s, T* p, T b)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
    {
        T a = Ordered.Load<T>((byte*)p);
        T result = TOperation.Compute(s, a, b);
        Ordered.Store((byte*)p, result);
        TOperation.SetFlags(s, a, b, result);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Judge<TOperation, T>(VcpuState* s, T a, T b)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T> => TOperation.SetFlags(s, a, b, TOperation.Compute(s, a, b));

    /// <summary>register, register or immediate</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Register<TOperation, T, TFlags, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
    {
        Apply<TOperation, T, TFlags>(s, op->Destination, TSource.Get<T>(s, op));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>a register moved to another and changed there</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Moved<TOperation, T, TFlags, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
    {
        Width.Set(s, op->Destination, Result<TOperation, T, TFlags>(s, Width.Get<T>(s, op->Base), TSource.Get<T>(s, op)));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, memory</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Load<TOperation, T, TFlags, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return LoadSlow<TOperation, T, TFlags>(cpu, s, op);
        Apply<TOperation, T, TFlags>(s, op->Destination, Ordered.Load<T>(MemoryAccess.Host(entry, linear)));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, memory, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* LoadSlow<TOperation, T, TFlags>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, sizeof(T));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        nuint destination = op->Destination;
        T a = Width.Get<T>(s, destination);
        T b = Ordered.Load<T>(p);
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register or immediate, read-modify-write without LOCK</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Modify<TOperation, T, TSource, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return ModifySlow<TOperation, T, TSource>(cpu, s, op);
        Change<TOperation, T>(s, (T*)MemoryAccess.Host(entry, linear), TSource.Get<T>(s, op));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register or immediate, read-modify-write, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* ModifySlow<TOperation, T, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource
    {
        byte* p = MemoryAccess.SlowModify(cpu, s, op, sizeof(T));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        T a = Ordered.Load<T>(p);
        T b = TSource.Get<T>(s, op);
        T result = TOperation.Compute(s, a, b);
        Ordered.Store(p, result);
        if (!cpu.EndModify(sizeof(T)))
            return Dispatch.Stop(cpu, s, op);
        TOperation.SetFlags(s, a, b, result);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>CMP or TEST memory, register or immediate: only reads</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Examine<TOperation, T, TSource, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return ExamineSlow<TOperation, T, TSource>(cpu, s, op);
        Judge<TOperation, T>(s, Ordered.Load<T>(MemoryAccess.Host(entry, linear)), TSource.Get<T>(s, op));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>CMP or TEST memory, register or immediate, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* ExamineSlow<TOperation, T, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TSource : struct, ISource
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, sizeof(T));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        T a = Ordered.Load<T>(p);
        T b = TSource.Get<T>(s, op);
        TOperation.SetFlags(s, a, b, TOperation.Compute(s, a, b));
        return Dispatch.Next(cpu, s, op);
    }
}
