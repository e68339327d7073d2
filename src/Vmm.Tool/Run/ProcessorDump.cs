using Vmm.Debugging;

namespace Vmm.Tool.Run;

/// <summary>What there is to say of a processor that stopped for good: registers, the last exits and the code around RIP.</summary>
internal static class ProcessorDump
{
    public static void Write(IPartition partition, int index, IReadOnlyList<VpExit> exits, TextWriter error)
    {
        IVirtualProcessor processor = partition.Processors[index];
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        GeneralRegisters g = state.General;
        error.WriteLine($"  rax={g.Rax:X16} rbx={g.Rbx:X16} rcx={g.Rcx:X16} rdx={g.Rdx:X16}");
        error.WriteLine($"  rsi={g.Rsi:X16} rdi={g.Rdi:X16} rbp={g.Rbp:X16} rsp={g.Rsp:X16}");
        error.WriteLine($"  r8 ={g.R8:X16} r9 ={g.R9:X16} r10={g.R10:X16} r11={g.R11:X16}");
        error.WriteLine($"  r12={g.R12:X16} r13={g.R13:X16} r14={g.R14:X16} r15={g.R15:X16}");
        ControlRegisters c = state.Control;
        error.WriteLine($"  rip={g.Rip:X16} rflags={g.Rflags:X8} efer={c.Efer:X}");
        error.WriteLine($"  cr0={c.Cr0:X8} cr2={c.Cr2:X16} cr3={c.Cr3:X16} cr4={c.Cr4:X8}");
        SegmentRegisters s = state.Segments;
        error.WriteLine($"  cs={s.Cs.Selector:X4}@{s.Cs.Base:X} ss={s.Ss.Selector:X4}@{s.Ss.Base:X} ds={s.Ds.Selector:X4}@{s.Ds.Base:X}");
        error.WriteLine($"  gdt={s.Gdtr.Base:X}+{s.Gdtr.Limit:X} idt={s.Idtr.Base:X}+{s.Idtr.Limit:X}");
        ProcessorCounters counters = processor.Counters;
        error.WriteLine($"  instructions={counters.Instructions} exits={counters.TotalExits} events={counters.EventsDelivered}");
        error.WriteLine("  last exits, oldest first:");
        foreach (VpExit exit in exits)
            error.WriteLine($"    {exit}");
        Disassemble(processor, error);
    }

    private static void Disassemble(IVirtualProcessor processor, TextWriter error)
    {
        IReadOnlyList<GuestInstruction> instructions = Disassembler.Disassemble(processor, 6);
        if (instructions.Count == 0)
            error.WriteLine("  no code can be read at rip");
        foreach (GuestInstruction instruction in instructions)
            error.WriteLine($"  {instruction.Address:X16}  {instruction.Text}");
    }
}
