using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>CLC, STC, CMC, CLD, STD, LAHF, SAHF, PUSHF, POPF.</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class FlagInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Clc, &ClearCarry);
        table.Set(Mnemonic.Stc, &SetCarry);
        table.Set(Mnemonic.Cmc, &ComplementCarry);
        table.Set(Mnemonic.Cld, &ClearDirection);
        table.Set(Mnemonic.Std, &SetDirection);
        table.Set(Mnemonic.Lahf, &LoadToAh);
        table.Set(Mnemonic.Sahf, &StoreFromAh);
        table.Set(Mnemonic.Pushf, &Push);
        table.Set(Mnemonic.Pushfd, &Push);
        table.Set(Mnemonic.Pushfq, &Push);
        table.Set(Mnemonic.Popf, &Pop);
        table.Set(Mnemonic.Popfd, &Pop);
        table.Set(Mnemonic.Popfq, &Pop);
    }

    private static Outcome ClearCarry(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        LazyFlags.SetCarry(s, 0);
        return Outcome.Next;
    }

    private static Outcome SetCarry(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        LazyFlags.SetCarry(s, 1);
        return Outcome.Next;
    }

    private static Outcome ComplementCarry(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        LazyFlags.SetCarry(s, LazyFlags.Carry(s) ^ 1);
        return Outcome.Next;
    }

    private static Outcome ClearDirection(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        s->FlagsSystem &= ~LazyFlags.Df;
        return Outcome.Next;
    }

    private static Outcome SetDirection(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        s->FlagsSystem |= LazyFlags.Df;
        return Outcome.Next;
    }

    private static Outcome LoadToAh(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        ((byte*)&s->General[0])[1] = (byte)LazyFlags.Get(s);
        return Outcome.Next;
    }

    private static Outcome StoreFromAh(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        const ulong mask = LazyFlags.Sf | LazyFlags.Zf | LazyFlags.Af | LazyFlags.Pf | LazyFlags.Cf;
        LazyFlags.SetArithmetic(s, (LazyFlags.Get(s) & ~mask) | (((byte*)&s->General[0])[1] & mask));
        return Outcome.Next;
    }

    private static uint Iopl(VcpuState* s) => (s->FlagsSystem >> 12) & 3;

    private static int Size(Instruction* i) => i->Mnemonic switch
    {
        Mnemonic.Pushf or Mnemonic.Popf => 2,
        Mnemonic.Pushfd or Mnemonic.Popfd => 4,
        _ => 8,
    };

    private static Outcome Push(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = Size(i);
        ulong flags = LazyFlags.Get(s) & ~(ulong)(LazyFlags.Vm | LazyFlags.Rf);
        if ((s->FlagsSystem & LazyFlags.Vm) != 0 && Iopl(s) < 3)
        {
            // VME: a 16-bit push shows VIF as IF, and IOPL 3 (SDM Vol. 3B 21.3.1).
            if ((s->Cr4 & Cr4Bits.Vme) == 0 || size != 2)
                return cpu.RaiseGeneralProtection();
            flags = (flags & ~(ulong)LazyFlags.If) | LazyFlags.Iopl | ((flags & LazyFlags.Vif) != 0 ? LazyFlags.If : 0);
        }
        return cpu.StackPush(flags, size) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome Pop(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        int size = Size(i);
        bool virtual8086 = (s->FlagsSystem & LazyFlags.Vm) != 0;
        bool virtualInterrupts = virtual8086 && Iopl(s) < 3;
        if (virtualInterrupts && ((s->Cr4 & Cr4Bits.Vme) == 0 || size != 2))
            return cpu.RaiseGeneralProtection();
        byte* p = cpu.StackRead(0, size);
        if (p == null)
            return cpu.Stopped;
        ulong value = size switch { 2 => *(ushort*)p, 4 => *(uint*)p, _ => *(ulong*)p };
        ulong old = LazyFlags.Get(s);
        ulong change = LazyFlags.Arithmetic | LazyFlags.Tf | LazyFlags.Df | LazyFlags.Nt;
        if (size > 2)
            change |= LazyFlags.Ac | LazyFlags.Id;
        if (virtualInterrupts)
        {
            if ((value & LazyFlags.Tf) != 0 || ((value & LazyFlags.If) != 0 && (old & LazyFlags.Vip) != 0))
                return cpu.RaiseGeneralProtection();
            value = (value & ~(ulong)LazyFlags.Vif) | ((value & LazyFlags.If) != 0 ? LazyFlags.Vif : 0);
            change |= LazyFlags.Vif;
        }
        else
        {
            if (s->Cpl == 0)
                change |= LazyFlags.Iopl;
            if (s->Cpl <= Iopl(s) || (s->Cr0 & Cr0Bits.ProtectionEnable) == 0)
                change |= LazyFlags.If;
        }
        ulong flags = (old & ~(change | LazyFlags.Rf)) | (value & change);
        cpu.StackRelease((ulong)size);
        uint systemBefore = s->FlagsSystem;
        LazyFlags.Set(s, flags);
        uint changed = systemBefore ^ s->FlagsSystem;
        if ((changed & (LazyFlags.Tf | LazyFlags.Ac)) != 0)
            cpu.UpdateMode();
        return (changed & (LazyFlags.Tf | LazyFlags.Ac | LazyFlags.If | LazyFlags.Vif)) != 0 ? Outcome.NextBlock : Outcome.Next;
    }
}
