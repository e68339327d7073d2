using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>PUSH and POP at the default operand size of 64-bit and flat 32-bit code.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class StackHandlers
{
    /// <summary>PUSH register or immediate</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Push<TStack, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
        where TSource : struct, ISource
    {
        if (!TStack.TryPush(s, TSource.Get<ulong>(s, op)))
            return PushSlow<TStack, TSource>(cpu, s, op);
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* PushSlow<TStack, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
        where TSource : struct, ISource
    {
        if (!cpu.StackPush(TSource.Get<ulong>(s, op), TStack.Size))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.NextAfterStore(cpu, s, op);
    }

    /// <summary>POP register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Pop<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong top = TStack.Top(s);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, top);
        if (MemoryAccess.Misses(entry, top, TStack.Size))
            return PopSlow<TStack>(cpu, s, op);
        byte* p = MemoryAccess.Host(entry, top);
        ulong value = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        TStack.Release(s, 0);
        *(ulong*)((byte*)s + op->Destination) = value;
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* PopSlow<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        byte* p = cpu.StackRead(0, TStack.Size);
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        ulong value = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        TStack.Release(s, 0);
        *(ulong*)((byte*)s + op->Destination) = value;
        return Dispatch.Next(cpu, s, op);
    }
}
