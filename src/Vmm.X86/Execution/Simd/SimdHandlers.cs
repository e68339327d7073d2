using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>Compact handlers of SSE instructions: a register or a memory source, and stores.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class SimdHandlers
{
    /// <summary>register, register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Register<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, ISimdOperation
    {
        if (!TOperation.TryApply(s, op, (byte*)s + op->Source))
        {
            // By address, so that it is not inlined here and this handler keeps needing no stack.
            delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*> slow = &RegisterSlow<TOperation>;
            return slow(cpu, s, op);
        }
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, register, any case</summary>
    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* RegisterSlow<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, ISimdOperation
    {
        if (!TOperation.Apply(cpu, s, op, (byte*)s + op->Source))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, memory</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Load<TOperation, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, ISimdOperation
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, TOperation.Size) || (TOperation.Aligned && (linear & (ulong)(TOperation.Size - 1)) != 0))
            return LoadSlow<TOperation>(cpu, s, op);
        if (!TOperation.TryApply(s, op, MemoryAccess.Host(entry, linear)))
            return LoadSlow<TOperation>(cpu, s, op);
        Ordered.Fence();
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>register, memory, any address and case</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* LoadSlow<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, ISimdOperation
    {
        byte* source = SlowSource(cpu, s, op, TOperation.Size, TOperation.Aligned);
        if (source == null || !TOperation.Apply(cpu, s, op, source))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Store<T, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return StoreSlow<T>(cpu, s, op);
        Ordered.Store(MemoryAccess.Host(entry, linear), *(T*)((byte*)s + op->Source));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register, aligned</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* StoreAligned<T, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)) || (linear & (ulong)(sizeof(T) - 1)) != 0)
            return StoreAlignedSlow<T>(cpu, s, op);
        Ordered.Store(MemoryAccess.Host(entry, linear), *(T*)((byte*)s + op->Source));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>memory, register, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* StoreSlow<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
    {
        if (!MemoryAccess.SlowStore(cpu, s, op, *(T*)((byte*)s + op->Source)))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>memory, register, aligned, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* StoreAlignedSlow<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
    {
        if (!SlowAlignedStore(cpu, s, op, (T*)((byte*)s + op->Source)))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* SlowSource(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int size, bool aligned)
    {
        if (!MemoryAccess.Linear(cpu, s, op, size, false, out ulong linear))
            return null;
        if (!aligned || (linear & (ulong)(size - 1)) == 0)
            return cpu.ReadPointer(linear, size);
        cpu.RaiseGeneralProtection();
        return null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool SlowAlignedStore<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, T* value)
        where T : unmanaged
    {
        if (!MemoryAccess.Linear(cpu, s, op, sizeof(T), true, out ulong linear))
            return false;
        if ((linear & (ulong)(sizeof(T) - 1)) == 0)
            return cpu.Write(linear, *value);
        cpu.RaiseGeneralProtection();
        return false;
    }
}
