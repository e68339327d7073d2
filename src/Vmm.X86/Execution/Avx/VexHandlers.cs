using System.Runtime.CompilerServices;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>Compact handlers of VEX-encoded operations. Destination and first source are registers; of a second source in a register the
/// offset stands where the base of one in memory would.</summary>
// SAFETY: see Dispatch and MemoryAccess.
internal static unsafe class VexHandlers
{
    /// <summary>The address of the handler of a form.</summary>
    public static nint Of<TOperation>(VexForm form)
        where TOperation : struct, IVexOperation => form switch
        {
            VexForm.Table => (nint)(delegate*<ProcessorCore, VcpuState*, Instruction*, Outcome>)&VexInstructions.Run<TOperation>,
            VexForm.Register => Address(&Register<TOperation>),
            VexForm.Base => Address(&Load<TOperation, BaseAddress>),
            VexForm.Indexed => Address(&Load<TOperation, IndexedAddress>),
            VexForm.Rip => Address(&Load<TOperation, RipAddress>),
            VexForm.Thread => Address(&Load<TOperation, ThreadAddress>),
            VexForm.Short => Address(&Load<TOperation, ShortAddress>),
            _ => Address(&LoadSlow<TOperation>),
        };

    private static nint Address(delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*> handler) => (nint)handler;

    [MethodImpl(Dispatch.Hot)]
    private static DecodedOperation* Register<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IVexOperation
    {
        if (!TOperation.TryApply(s, op->Immediate, (byte*)s + op->Destination, (byte*)s + op->Source, (byte*)s + op->Base))
        {
            // By address, so that it is not inlined here and this handler keeps needing no stack.
            delegate*<ProcessorCore, VcpuState*, DecodedOperation*, DecodedOperation*> slow = &RegisterSlow<TOperation>;
            return slow(cpu, s, op);
        }
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* RegisterSlow<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IVexOperation
    {
        if (!TOperation.Apply(cpu, s, op->Immediate, (byte*)s + op->Destination, (byte*)s + op->Source, (byte*)s + op->Base))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(Dispatch.Hot)]
    private static DecodedOperation* Load<TOperation, TAddress>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IVexOperation
        where TAddress : struct, IAddress
    {
        ulong linear = TAddress.Get(s, op);
        TlbEntry* entry = MemoryAccess.ReadEntry(s, linear);
        if (MemoryAccess.Misses(entry, linear, TOperation.Size) || (TOperation.Aligned && (linear & (ulong)(TOperation.Size - 1)) != 0))
            return LoadSlow<TOperation>(cpu, s, op);
        if (!TOperation.TryApply(s, op->Immediate, (byte*)s + op->Destination, (byte*)s + op->Source, MemoryAccess.Host(entry, linear)))
            return LoadSlow<TOperation>(cpu, s, op);
        Ordered.Fence();
        return Dispatch.Next(cpu, s, op);
    }

    [MethodImpl(Dispatch.Slow)]
    private static DecodedOperation* LoadSlow<TOperation>(ProcessorCore cpu, VcpuState* s, DecodedOperation* op)
        where TOperation : struct, IVexOperation
    {
        byte* source = SlowSource(cpu, s, op, TOperation.Size, TOperation.Aligned);
        if (source == null || !TOperation.Apply(cpu, s, op->Immediate, (byte*)s + op->Destination, (byte*)s + op->Source, source))
            return Dispatch.Stop(cpu, s, op);
        return Dispatch.Next(cpu, s, op);
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
}
