using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Two-operand instructions, and one-operand ones seen as such.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class BinaryHandlers
{
    /// <summary>register, register or immediate</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Register<TOperation, T, TFlags, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
    {
        int destination = op->Destination;
        T a = Width.Get<T>(s, destination);
        T b = TSource.Get<T>(s, op);
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
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
        byte* p = MemoryAccess.Host(entry, linear);
        int destination = op->Destination;
        T a = Width.Get<T>(s, destination);
        T b = *(T*)p;
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
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
        int destination = op->Destination;
        T a = Width.Get<T>(s, destination);
        T b = *(T*)p;
        T result = TOperation.Compute(s, a, b);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register or immediate, read-modify-write without LOCK</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Modify<TOperation, T, TFlags, TSource, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return ModifySlow<TOperation, T, TFlags, TSource>(cpu, s, op);
        byte* p = MemoryAccess.Host(entry, linear);
        T a = *(T*)p;
        T b = TSource.Get<T>(s, op);
        T result = TOperation.Compute(s, a, b);
        *(T*)p = result;
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register or immediate, read-modify-write, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* ModifySlow<TOperation, T, TFlags, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
    {
        byte* p = MemoryAccess.SlowModify(cpu, s, op, sizeof(T));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        T a = *(T*)p;
        T b = TSource.Get<T>(s, op);
        T result = TOperation.Compute(s, a, b);
        *(T*)p = result;
        if (!cpu.EndModify(sizeof(T)))
            return Dispatch.Stop(cpu, s, op);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, result);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>CMP or TEST memory, register or immediate: only reads</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Examine<TOperation, T, TFlags, TSource, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return ExamineSlow<TOperation, T, TFlags, TSource>(cpu, s, op);
        byte* p = MemoryAccess.Host(entry, linear);
        T a = *(T*)p;
        T b = TSource.Get<T>(s, op);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, TOperation.Compute(s, a, b));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>CMP or TEST memory, register or immediate, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* ExamineSlow<TOperation, T, TFlags, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TFlags : struct, IFlagPolicy
        where TSource : struct, ISource
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, sizeof(T));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        T a = *(T*)p;
        T b = TSource.Get<T>(s, op);
        if (TFlags.Records)
            TOperation.SetFlags(s, a, b, TOperation.Compute(s, a, b));
        return Dispatch.Next(cpu, s, op);
    }
}
