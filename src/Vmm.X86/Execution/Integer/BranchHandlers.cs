using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>
/// Near branches where RIP is a linear address (64-bit or flat code). Everything that leaves a block passes here, and polls.
/// </summary>
// SAFETY: see Dispatch; jump cache entries are compared in full before use, and their key dies with the code they lead to.
internal static unsafe class BranchHandlers
{
    /// <summary>
    /// Goes to the operation linked in <see cref="DecodedOperation.Immediate"/>, after <paramref name="instructions"/> more instructions.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodedOperation* Follow(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int instructions)
    {
        ulong retired = s->InstructionsRetired + (ulong)(op->Before + instructions);
        s->InstructionsRetired = retired;
        if (retired >= s->PollLimit)
            return Dispatch.LeaveTo(cpu, s, op);
        return Dispatch.To(cpu, s, (DecodedOperation*)op->Immediate);
    }

    /// <summary>Goes to a linear address through the jump cache; RIP may lie in any page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static DecodedOperation* Jump(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, ulong rip)
    {
        ulong retired = s->InstructionsRetired + (ulong)(op->Before + 1);
        s->InstructionsRetired = retired;
        JumpCacheEntry* e = s->JumpCache + JumpCacheEntry.Slot(rip);
        if (e->Rip != rip || e->Key != s->JumpKey || retired >= s->PollLimit)
            return Dispatch.Leave(cpu, s, rip);
        s->PageRip = rip & ~0xFFFUL;
        return Dispatch.To(cpu, s, e->Entry);
    }

    /// <summary>JMP within the page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Jump(ProcessorCore cpu, VcpuState* s, DecodedOperation* op) => Follow(cpu, s, op, 1);

    /// <summary>The end of a block that is not a branch, with the next instruction in the same page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* FallThrough(ProcessorCore cpu, VcpuState* s, DecodedOperation* op) => Follow(cpu, s, op, 0);

    /// <summary>The end of a block that must be left</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* End(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        s->InstructionsRetired += op->Before;
        return Dispatch.Leave(cpu, s, cpu.MaskRip(s->PageRip + op->Offset));
    }

    /// <summary>What a branch not yet linked leads to: lets the dispatcher find the target and link it.</summary>
    [MethodImpl(Dispatch.Slow)]
    public static DecodedOperation* Resolve(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        cpu.LinkFrom = (DecodedOperation*)op->Immediate;
        return Dispatch.Leave(cpu, s, cpu.MaskRip(s->PageRip + (ulong)op->Displacement));
    }

    /// <summary>The end of a block with the next instruction in another page: by the jump cache, not counted</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* FallAcross(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        ulong rip = cpu.MaskRip(s->PageRip + (ulong)op->Displacement);
        ulong retired = s->InstructionsRetired + op->Before;
        s->InstructionsRetired = retired;
        JumpCacheEntry* e = s->JumpCache + JumpCacheEntry.Slot(rip);
        if (e->Rip != rip || e->Key != s->JumpKey || retired >= s->PollLimit)
            return Dispatch.Leave(cpu, s, rip);
        s->PageRip = rip & ~0xFFFUL;
        return Dispatch.To(cpu, s, e->Entry);
    }

    /// <summary>JMP to another page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* JumpAcross<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong rip = TStack.Wrap(s->PageRip + (ulong)op->Displacement);
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>Jcc within the page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Conditional<TCondition>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TCondition : struct, ICondition
    {
        if (TCondition.Test(s))
            return Follow(cpu, s, op, 1);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>Jcc to another page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* ConditionalAcross<TCondition, TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TCondition : struct, ICondition
        where TStack : struct, IStack
    {
        if (!TCondition.Test(s))
            return Dispatch.Next(cpu, s, op);
        ulong rip = TStack.Wrap(s->PageRip + (ulong)op->Displacement);
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>A two-operand instruction on registers with the Jcc behind it, within the page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Fused<TOperation, T, TCondition, TSource>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IBinaryOperation
        where T : unmanaged, IBinaryInteger<T>
        where TCondition : struct, ICondition
        where TSource : struct, ISource
    {
        nuint destination = op->Destination;
        T a = Width.Get<T>(s, destination);
        T b = TSource.Get<T>(s, op);
        T result = TOperation.Compute(s, a, b);
        if (TOperation.Stores)
            Width.Set(s, destination, result);
        TOperation.SetFlags(s, a, b, result);
        if (TOperation.Test<TCondition, T>(a, b, result))
            return Follow(cpu, s, op, 2);
        return Dispatch.Next(cpu, s, op);
    }

    /// <summary>CALL within the page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Call<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        if (!TStack.TryPush(s, TStack.Wrap(s->PageRip + op[1].Offset)))
            return CallSlow<TStack>(cpu, s, op);
        return Follow(cpu, s, op, 1);
    }

    /// <summary>CALL to another page</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* CallAcross<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong rip = TStack.Wrap(s->PageRip + (ulong)op->Displacement);
        if (TStack.Refuses(rip) || !TStack.TryPush(s, TStack.Wrap(s->PageRip + op[1].Offset)))
            return CallSlow<TStack>(cpu, s, op);
        return Jump(cpu, s, op, rip);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedOperation* CallSlow<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong rip = TStack.Wrap(s->PageRip + (ulong)op->Displacement);
        return GoSlow<TStack>(cpu, s, op, rip, true);
    }

    /// <summary>JMP register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* JumpRegister<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong rip = TStack.Wrap(*(ulong*)((byte*)s + op->Destination));
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>CALL register</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* CallRegister<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong rip = TStack.Wrap(*(ulong*)((byte*)s + op->Destination));
        if (TStack.Refuses(rip) || !TStack.TryPush(s, TStack.Wrap(s->PageRip + op[1].Offset)))
            return GoSlow<TStack>(cpu, s, op, rip, true);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>JMP memory</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* JumpMemory<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, TStack.Size);
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        ulong rip = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>CALL memory</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* CallMemory<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        byte* p = MemoryAccess.SlowRead(cpu, s, op, TStack.Size);
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        ulong rip = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        if (TStack.Refuses(rip) || !TStack.TryPush(s, TStack.Wrap(s->PageRip + op[1].Offset)))
            return GoSlow<TStack>(cpu, s, op, rip, true);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>RET, RET imm16</summary>
    [MethodImpl(Dispatch.Hot)]
    public static DecodedOperation* Return<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        ulong top = TStack.Top(s);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, top);
        if (MemoryAccess.Misses(entry, top, TStack.Size))
            return ReturnSlow<TStack>(cpu, s, op);
        byte* p = MemoryAccess.Host(entry, top);
        ulong rip = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        TStack.Release(s, op->Immediate);
        return Jump(cpu, s, op, rip);
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* ReturnSlow<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TStack : struct, IStack
    {
        byte* p = cpu.StackRead(0, TStack.Size);
        if (p == null)
            return Dispatch.Stop(cpu, s, op);
        ulong rip = TStack.Size == 8 ? Ordered.Load<ulong>(p) : Ordered.Load<uint>(p);
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        TStack.Release(s, op->Immediate);
        return Jump(cpu, s, op, rip);
    }

    /// <summary>A call whose push missed the soft TLB, or whose target is refused: always back to the dispatcher.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedOperation* GoSlow<TStack>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, ulong rip, bool push)
        where TStack : struct, IStack
    {
        if (TStack.Refuses(rip))
            return RefuseTarget(cpu, s, op);
        if (push && !cpu.StackPush(TStack.Wrap(s->PageRip + op[1].Offset), TStack.Size))
            return Dispatch.Stop(cpu, s, op);
        s->InstructionsRetired += (ulong)(op->Before + 1);
        return Dispatch.Leave(cpu, s, rip);
    }

    /// <summary>The target is not canonical: #GP(0) at the branch.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodedOperation* RefuseTarget(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        cpu.RaiseGeneralProtection();
        return Dispatch.Stop(cpu, s, op);
    }
}
