using System.Runtime.Intrinsics;
using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>MXCSR, fences, prefetches and the masked byte store.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class SimdControl
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Ldmxcsr, &Ldmxcsr);
        table.Set(Mnemonic.Stmxcsr, &Stmxcsr);
        foreach (Mnemonic mnemonic in new[] { Mnemonic.Lfence, Mnemonic.Mfence, Mnemonic.Sfence })
            table.Set(mnemonic, &Fence);
        foreach (Mnemonic mnemonic in new[] { Mnemonic.Prefetchnta, Mnemonic.Prefetcht0, Mnemonic.Prefetcht1, Mnemonic.Prefetcht2 })
            table.Set(mnemonic, &Prefetch);
        table.Set(Mnemonic.Maskmovdqu, &Maskmovdqu);
    }

    private static Outcome Ldmxcsr(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s) || !Operands.Read(cpu, i, 0, 4, out ulong value))
            return cpu.Stopped;
        if ((value & ~(ulong)MxcsrBits.Writable) != 0)
            return cpu.RaiseGeneralProtection();
        s->Mxcsr = (uint)value;
        return Outcome.Next;
    }

    private static Outcome Stmxcsr(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        SimdOperands.Available(cpu, s) && Operands.Write(cpu, i, 0, 4, s->Mxcsr) ? Outcome.Next : cpu.Stopped;

    private static Outcome Fence(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        Interlocked.MemoryBarrier();
        return Outcome.Next;
    }

    private static Outcome Prefetch(ProcessorCore cpu, VcpuState* s, Instruction* i) => Outcome.Next;

    private static Outcome Maskmovdqu(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!SimdOperands.Available(cpu, s))
            return cpu.Stopped;
        byte* value = (byte*)SimdOperands.Xmm(s, i->GetOpRegister(1));
        return StoreMasked(cpu, s, i, value, SimdOperands.Xmm(s, i->GetOpRegister(2))->ExtractMostSignificantBits(), 16);
    }

    /// <summary>
    /// Stores the chosen bytes at DS:rDI (or the overriding segment). Pages without a chosen byte are not touched; every fault comes before
    /// the first store.
    /// </summary>
    public static Outcome StoreMasked(ProcessorCore cpu, VcpuState* s, Instruction* i, byte* value, uint mask, int size)
    {
        if (mask == 0)
            return Outcome.Next;
        ulong offset = i->Op0Kind switch
        {
            OpKind.MemorySegDI => (ushort)s->General[7],
            OpKind.MemorySegEDI => (uint)s->General[7],
            _ => s->General[7],
        };
        if (!cpu.Linear(Operands.Segment(i->MemorySegment), offset, size, true, out ulong linear))
            return cpu.Stopped;
        ulong linearMask = cpu.LinearMask;
        for (int k = 0; k < size; k++)
        {
            if ((mask & (1U << k)) != 0 && !cpu.ProbeWrite((linear + (ulong)k) & linearMask, 1))
                return cpu.Stopped;
        }
        for (int k = 0; k < size; k++)
        {
            if ((mask & (1U << k)) != 0 && !cpu.Write((linear + (ulong)k) & linearMask, value[k]))
                return cpu.Stopped;
        }
        return Outcome.Next;
    }
}
