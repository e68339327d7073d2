using Iced.Intel;

namespace Vmm.X86.Execution;

/// <summary>LGDT, LIDT, SGDT, SIDT, LLDT, SLDT, LTR, STR (SDM Vol. 2).</summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class TableInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Mnemonic.Lgdt, &LoadGdt);
        table.Set(Mnemonic.Lidt, &LoadIdt);
        table.Set(Mnemonic.Sgdt, &StoreGdt);
        table.Set(Mnemonic.Sidt, &StoreIdt);
        table.Set(Mnemonic.Lldt, &LoadLdt);
        table.Set(Mnemonic.Sldt, &StoreLdt);
        table.Set(Mnemonic.Ltr, &LoadTask);
        table.Set(Mnemonic.Str, &StoreTask);
    }

    private static Outcome LoadGdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => Load(cpu, s, i, ref s->Gdtr);

    private static Outcome LoadIdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => Load(cpu, s, i, ref s->Idtr);

    private static Outcome Load(ProcessorCore cpu, VcpuState* s, Instruction* i, ref TableRegister register)
    {
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        bool wide = cpu.Is64Bit;
        if (!Operands.Linear(cpu, i, wide ? 10 : 6, false, out ulong linear)
            || !cpu.Read(linear, out ushort limit)
            || !Operands.ReadSized(cpu, (linear + 2) & cpu.LinearMask, wide ? 8 : 4, out ulong @base))
            return cpu.Stopped;
        if (i->Code is Code.Lgdt_m1632_16 or Code.Lidt_m1632_16)
            @base &= 0xFF_FFFF;
        if (!cpu.IsCanonicalBase(@base))
            return cpu.RaiseGeneralProtection();
        register.Base = @base;
        register.Limit = limit;
        return Outcome.Next;
    }

    private static Outcome StoreGdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => Store(cpu, i, ref s->Gdtr);

    private static Outcome StoreIdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => Store(cpu, i, ref s->Idtr);

    private static Outcome Store(ProcessorCore cpu, Instruction* i, ref TableRegister register)
    {
        if (cpu.UmipForbids())
            return cpu.RaiseGeneralProtection();
        int size = cpu.Is64Bit ? 10 : 6;
        if (!Operands.Linear(cpu, i, size, true, out ulong linear))
            return cpu.Stopped;
        byte* image = stackalloc byte[10];
        *(ushort*)image = (ushort)register.Limit;
        *(ulong*)(image + 2) = register.Base;
        return cpu.WriteBytes(linear, image, size) ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome LoadLdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadSystem(cpu, s, i, false);

    private static Outcome LoadTask(ProcessorCore cpu, VcpuState* s, Instruction* i) => LoadSystem(cpu, s, i, true);

    private static Outcome LoadSystem(ProcessorCore cpu, VcpuState* s, Instruction* i, bool task)
    {
        if (!cpu.UsesDescriptors)
            return cpu.RaiseInvalidOpcode();
        if (s->Cpl != 0)
            return cpu.RaiseGeneralProtection();
        bool loaded = Operands.Read(cpu, i, 0, 2, out ulong selector) && cpu.LoadSystemSegment(task, (ushort)selector);
        return loaded ? Outcome.Next : cpu.Stopped;
    }

    private static Outcome StoreLdt(ProcessorCore cpu, VcpuState* s, Instruction* i) => StoreSelector(cpu, s, i, SegmentIndex.Ldtr);

    private static Outcome StoreTask(ProcessorCore cpu, VcpuState* s, Instruction* i) => StoreSelector(cpu, s, i, SegmentIndex.Tr);

    private static Outcome StoreSelector(ProcessorCore cpu, VcpuState* s, Instruction* i, int segment)
    {
        if (!cpu.UsesDescriptors)
            return cpu.RaiseInvalidOpcode();
        if (cpu.UmipForbids())
            return cpu.RaiseGeneralProtection();
        return Operands.Write(cpu, i, 0, 2, s->Segments[segment].Selector) ? Outcome.Next : cpu.Stopped;
    }
}
