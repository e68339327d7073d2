using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>MOV to memory, MOVZX, MOVSX, LEA, XCHG of registers, CMOV, SETcc, sign extensions of RAX.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class MoveHandlers
{
    /// <summary>MOV memory, register or immediate</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Store<T, TSource, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TSource : struct, ISource
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.WriteEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(T)))
            return StoreSlow<T, TSource>(cpu, s, op);
        Ordered.Store(MemoryAccess.Host(entry, linear), TSource.Get<T>(s, op));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>MOV memory, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* StoreSlow<T, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TSource : struct, ISource
    {
        if (!MemoryAccess.SlowStore(cpu, s, op, TSource.Get<T>(s, op)))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>MOV register, register or immediate, of 32 or 64 bits</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Move<T, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TSource : struct, ISource
    {
        Width.Set(s, op->Destination, TSource.Get<T>(s, op));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>MOVZX, MOVSX, MOVSXD register, register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Extend<TFrom, TTo, TExtension>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TExtension : struct, IExtension
    {
        Width.Set(s, op->Destination, Width.From<TTo>(TExtension.Widen(Width.Get<TFrom>(s, op->Source))));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>MOVZX, MOVSX, MOVSXD register, memory</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* LoadExtend<TFrom, TTo, TExtension, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TExtension : struct, IExtension
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, sizeof(TFrom)))
            return LoadExtendSlow<TFrom, TTo, TExtension>(cpu, s, op);
        byte* p = MemoryAccess.Host(entry, linear);
        Width.Set(s, op->Destination, Width.From<TTo>(TExtension.Widen(Ordered.Load<TFrom>(p))));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>MOVZX, MOVSX, MOVSXD register, memory, any address</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* LoadExtendSlow<TFrom, TTo, TExtension>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TExtension : struct, IExtension
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, sizeof(TFrom));
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        Width.Set(s, op->Destination, Width.From<TTo>(TExtension.Widen(Ordered.Load<TFrom>(p))));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>LEA with 64-bit addressing</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* EffectiveAddress<T, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
        where TAddress : struct, IAddress
    {
        Width.Set(s, op->Destination, Width.From<T>(TAddress.Get(s, op)));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>LEA with any addressing</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* EffectiveAddressAny<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
    {
        Width.Set(s, op->Destination, Width.From<T>(MemoryAccess.EffectiveAddress(s, op)));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>XCHG register, register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Exchange<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged
    {
        T a = Width.Get<T>(s, op->Destination);
        T b = Width.Get<T>(s, op->Source);
        Width.Set(s, op->Destination, b);
        Width.Set(s, op->Source, a);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>CMOVcc register, register: a 32-bit destination is zero-extended whether or not it moves</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* ConditionalMove<TCondition, T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TCondition : struct, ICondition
        where T : unmanaged
    {
        nuint destination = op->Destination;
        Width.Set(s, destination, TCondition.Test(s) ? Width.Get<T>(s, op->Source) : Width.Get<T>(s, destination));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>SETcc register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* SetByte<TCondition>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TCondition : struct, ICondition
    {
        *((byte*)s + op->Destination) = TCondition.Test(s) ? (byte)1 : (byte)0;
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>CDQ, CQO, CWD: the sign of RAX in RDX</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* SpreadSign<T>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where T : unmanaged, IBinaryInteger<T>
    {
        Width.Set(s, op->Destination, Width.From<T>((ulong)((long)Width.Signed(Width.Get<T>(s, op->Source)) >> 63)));
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>PAUSE</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Pause(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        cpu.Relax();
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>NOP of any form</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Nothing(ProcessorCore cpu, VcpuState* s, DecodedOperation* op) => Dispatch.Next(cpu, s, op);
}
