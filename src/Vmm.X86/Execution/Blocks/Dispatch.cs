using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>How control passes from one operation to the next.</summary>
/// <remarks>
/// Handlers end in a tail call of the next handler, so that a whole run of guest code is one managed frame. Where the runtime makes no tail
/// calls (unoptimised code, other runtimes), the same handlers return the next operation and <see cref="Run"/> loops over them. Either way
/// null
/// means: back to the dispatcher, <see cref="ProcessorCore.RunStop"/> and <see cref="VcpuState.Rip"/> say why and where.
/// A handler must be marked <see cref="Hot"/>, must not take the address of a local, and has its slow path in another method called in tail
/// position: then it needs no stack.
/// </remarks>
// SAFETY: operations live in a code cache that is emptied only by the thread running it, outside of any run.
internal static unsafe class Dispatch
{
    /// <summary>
    /// What every handler is compiled with: only optimised code makes tail calls, so no handler may start in the quick tier.
    /// </summary>
    public const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>
    /// A handler's slow path. Not marked against inlining, because the runtime makes no tail calls from methods that are.
    /// </summary>
    public const MethodImplOptions Slow = MethodImplOptions.AggressiveOptimization;

    /// <summary>
    /// A part of a handler that needs a frame: called, and optimised from the start as the handler around it is.
    /// </summary>
    public const MethodImplOptions Separate = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    /// <summary>
    /// Whether handlers call each other; decided once, by trying. Without vector hardware (or with it switched off) vectors travel by
    /// reference,
    /// and handlers that use them would keep a frame.
    /// </summary>
    public static readonly bool TailCalls = Vector128.IsHardwareAccelerated && TailCallProbe.Works();

    /// <summary>Goes on with the following operation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedOperation* Next(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        if (!TailCalls)
            return op + 1;
        return ((delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*>)op[1].Handler)(cpu, s, op + 1);
    }

    /// <summary>Goes on with a given operation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedOperation* To(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        if (!TailCalls)
            return op;
        return ((delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*>)op->Handler)(cpu, s, op);
    }

    /// <summary>
    /// Goes on after an operation that stored through the slow path: if the store hit decoded code, what follows may be stale, so the block
    /// is
    /// left behind this operation.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedOperation* NextAfterStore(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        if (cpu.CodeChanged)
            return LeaveAfter(cpu, s, op, 1);
        return Next(cpu, s, op);
    }

    /// <summary>Stops at an operation that did not complete: <see cref="ProcessorCore.Stopped"/> says why.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodedOperation* Stop(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        s->Rip = cpu.MaskRip(s->PageRip + op->Offset);
        s->InstructionsRetired += op->Before;
        cpu.RunStop = cpu.Stopped;
        return null;
    }

    /// <summary>Leaves the block behind an operation that completed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodedOperation* LeaveAfter(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, int instructions)
    {
        s->Rip = cpu.MaskRip(s->PageRip + op[1].Offset);
        s->InstructionsRetired += (ulong)(op->Before + instructions);
        cpu.RunStop = Outcome.NextBlock;
        return null;
    }

    /// <summary>Leaves with the next RIP already stored; retired instructions are counted.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodedOperation* Leave(ProcessorCore cpu, VcpuState* s, ulong rip)
    {
        s->Rip = rip;
        cpu.RunStop = Outcome.NextBlock;
        return null;
    }

    /// <summary>Leaves for the target of a branch; retired instructions are counted.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static DecodedOperation* LeaveTo(ProcessorCore cpu, VcpuState* s, DecodedOperation* op) =>
        Leave(cpu, s, cpu.MaskRip(s->PageRip + (ulong)op->Displacement));

    /// <summary>Runs from an operation until one returns null.</summary>
    public static void Run(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
    {
        do
            op = ((delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*>)op->Handler)(cpu, s, op);
        while (op != null);
    }
}
