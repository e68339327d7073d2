using Iced.Intel;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Execution;

/// <summary>CLI, STI, HLT, cache and translation control, SMAP's AC, FS/GS bases, SWAPGS, MONITOR and hypercalls (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class ProcessorControlInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Cli, &ClearInterrupt);
        table.Set(Mnemonic.Sti, &SetInterrupt);
        table.Set(Mnemonic.Hlt, &Halt);
        table.Set(Mnemonic.Invd, &PrivilegedNothing);
        table.Set(Mnemonic.Wbinvd, &PrivilegedNothing);
        table.Set(Mnemonic.Wbnoinvd, &PrivilegedNothing);
        table.Set(Mnemonic.Invlpg, &InvalidatePage);
        table.Set(Mnemonic.Invpcid, &InvalidateContext);
        table.Set(Mnemonic.Clflush, &TouchLine);
        table.Set(Mnemonic.Clflushopt, &TouchLine);
        table.Set(Mnemonic.Clwb, &TouchLine);
        table.Set(Mnemonic.Clac, &ClearAlignmentCheck);
        table.Set(Mnemonic.Stac, &SetAlignmentCheck);
        table.Set(Mnemonic.Swapgs, &SwapGs);
        table.Set(Mnemonic.Rdfsbase, &ReadFsBase);
        table.Set(Mnemonic.Rdgsbase, &ReadGsBase);
        table.Set(Mnemonic.Wrfsbase, &WriteFsBase);
        table.Set(Mnemonic.Wrgsbase, &WriteGsBase);
        table.Set(Mnemonic.Monitor, &Monitor);
        table.Set(Mnemonic.Mwait, &Wait);
        table.Set(Mnemonic.Vmcall, &Hypercall);
        table.Set(Mnemonic.Vmmcall, &Hypercall);
    }

    private static uint Iopl(VcpuState* s) => (s->FlagsSystem >> 12) & 3;

    private static bool InVirtual8086(VcpuState* s) => (s->FlagsSystem & LazyFlags.Vm) != 0;

    private static Outcome ClearInterrupt(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (Iopl(s) >= s->Cpl)
            s->FlagsSystem &= ~LazyFlags.If;
        else if (HasVirtualInterruptFlag(s))
            s->FlagsSystem &= ~LazyFlags.Vif;
        else
            return cpu.RaiseGeneralProtection();
        return Outcome.Next;
    }

    // The shadow only follows a real change of IF from 0 to 1.
    private static Outcome SetInterrupt(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (Iopl(s) >= s->Cpl)
        {
            if ((s->FlagsSystem & LazyFlags.If) != 0)
                return Outcome.Next;
            s->FlagsSystem |= LazyFlags.If;
            s->Shadow = InterruptShadow.Sti;
#if VMM_MUTANTS
            if (Broken(Mutant.StiWithoutShadow))
                s->Shadow = InterruptShadow.None;
#endif
            return Outcome.NextBlock;
        }
        if (HasVirtualInterruptFlag(s) && (s->FlagsSystem & LazyFlags.Vip) == 0)
        {
            s->FlagsSystem |= LazyFlags.Vif;
            return Outcome.Next;
        }
        return cpu.RaiseGeneralProtection();
    }

    // VME in virtual-8086 mode, PVI in ring 3 of protected mode (SDM Vol. 3B 21.3, 21.4). In virtual-8086 mode with IOPL 3 IF itself is
    // used.
    private static bool HasVirtualInterruptFlag(VcpuState* s) =>
        InVirtual8086(s) ? (s->Cr4 & Cr4Bits.Vme) != 0 : s->Cpl == 3 && (s->Cr4 & Cr4Bits.Pvi) != 0;

    private static Outcome Halt(ProcessorCore cpu, VcpuState* s, Instruction* i) => s->Cpl != 0 ? cpu.RaiseGeneralProtection() : cpu.Halt();

    // Caches are coherent and have no state of their own.
    private static Outcome PrivilegedNothing(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        s->Cpl != 0 ? cpu.RaiseGeneralProtection() : Outcome.Next;

    private static Outcome InvalidatePage(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
#if VMM_MUTANTS
        if (Broken(Mutant.InvlpgIgnored))
            return Outcome.NextBlock;
#endif
        ulong offset = Operands.EffectiveAddress(s, i);
        int segment = Operands.Segment(i->MemorySegment);
        bool based = !cpu.Is64Bit || segment >= SegmentIndex.Fs;
        cpu.InvalidatePage((based ? s->Segments[segment].Base + offset : offset) & cpu.LinearMask);
        return Outcome.NextBlock;
    }

    private static Outcome InvalidateContext(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Has(CpuFeature.Invpcid))
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ulong type = Operands.Get(s, i->Op0Register);
        if (!Operands.Linear(cpu, i, 16, false, out ulong linear) || !cpu.Read(linear, out ulong context)
            || !cpu.Read((linear + 8) & cpu.LinearMask, out ulong address))
            return cpu.Stopped;
        bool pcidMatters = type <= 1;
        if (type > 3
            || (pcidMatters && (context >> 12) != 0)
            || (pcidMatters && context != 0 && (s->Cr4 & Cr4Bits.Pcid) == 0)
            || (type == 0 && !cpu.IsCanonicalBase(address)))
            return cpu.RaiseGeneralProtection();
        cpu.InvalidateContexts((int)type, (uint)context, address);
        return Outcome.NextBlock;
    }

    private static Outcome TouchLine(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        Operands.Linear(cpu, i, 1, false, out ulong linear) && cpu.ReadPointer(linear, 1) != null ? Outcome.Next : cpu.Stopped;

    private static Outcome ClearAlignmentCheck(ProcessorCore cpu, VcpuState* s, Instruction* i) => ChangeAlignmentCheck(cpu, s, false);

    private static Outcome SetAlignmentCheck(ProcessorCore cpu, VcpuState* s, Instruction* i) => ChangeAlignmentCheck(cpu, s, true);

    private static Outcome ChangeAlignmentCheck(ProcessorCore cpu, VcpuState* s, bool value)
    {
        if (!cpu.Has(CpuFeature.Smap) || s->Cpl != 0)
            return cpu.RaiseInvalidOpcode();
        s->FlagsSystem = value ? s->FlagsSystem | LazyFlags.Ac : s->FlagsSystem & ~LazyFlags.Ac;
        cpu.UpdateMode();
        return Outcome.NextBlock;
    }

    private static Outcome SwapGs(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Is64Bit)
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        ref ulong gs = ref s->Segments[SegmentIndex.Gs].Base;
        (gs, s->KernelGsBase) = (s->KernelGsBase, gs);
        return Outcome.Next;
    }

    private static Outcome ReadFsBase(ProcessorCore cpu, VcpuState* s, Instruction* i) => ReadBase(cpu, s, i, SegmentIndex.Fs);

    private static Outcome ReadGsBase(ProcessorCore cpu, VcpuState* s, Instruction* i) => ReadBase(cpu, s, i, SegmentIndex.Gs);

    private static Outcome WriteFsBase(ProcessorCore cpu, VcpuState* s, Instruction* i) => WriteBase(cpu, s, i, SegmentIndex.Fs);

    private static Outcome WriteGsBase(ProcessorCore cpu, VcpuState* s, Instruction* i) => WriteBase(cpu, s, i, SegmentIndex.Gs);

    private static Outcome ReadBase(ProcessorCore cpu, VcpuState* s, Instruction* i, int segment)
    {
        if (!cpu.Is64Bit || (s->Cr4 & Cr4Bits.FsGsBase) == 0)
            return cpu.RaiseInvalidOpcode();
        Operands.Set(s, i->Op0Register, s->Segments[segment].Base);
        return Outcome.Next;
    }

    private static Outcome WriteBase(ProcessorCore cpu, VcpuState* s, Instruction* i, int segment)
    {
        if (!cpu.Is64Bit || (s->Cr4 & Cr4Bits.FsGsBase) == 0)
            return cpu.RaiseInvalidOpcode();
        ulong value = Operands.Get(s, i->Op0Register);
        if (!cpu.IsCanonicalBase(value))
            return cpu.RaiseGeneralProtection();
        s->Segments[segment].Base = value;
        return Outcome.Next;
    }

    private static Outcome Monitor(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Has(CpuFeature.Monitor) || s->Cpl != 0)
            return cpu.RaiseInvalidOpcode();
        if ((uint)s->General[1] != 0)
            return cpu.RaiseGeneralProtection();
        ulong offset = i->Op0Register.GetSize() switch { 2 => (ushort)s->General[0], 4 => (uint)s->General[0], _ => s->General[0] };
        int segment = i->SegmentPrefix == IcedRegister.None ? SegmentIndex.Ds : Operands.Segment(i->SegmentPrefix);
        return cpu.Linear(segment, offset, 1, false, out ulong linear) && cpu.ReadPointer(linear, 1) != null ? Outcome.Next : cpu.Stopped;
    }

    // The monitor may be triggered by anything at any time, so waiting for no time at all is a correct MWAIT.
    private static Outcome Wait(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!cpu.Has(CpuFeature.Monitor) || s->Cpl != 0)
            return cpu.RaiseInvalidOpcode();
        return (uint)s->General[1] > 1 ? cpu.RaiseGeneralProtection() : Outcome.NextBlock;
    }

    private static Outcome Hypercall(ProcessorCore cpu, VcpuState* s, Instruction* i) =>
        cpu.HypercallsEnabled ? cpu.Hypercall() : cpu.RaiseInvalidOpcode();
}
