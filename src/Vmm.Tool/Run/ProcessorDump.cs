using Iced.Intel;

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
        Disassemble(partition, processor, in state, error);
    }

    private static void Disassemble(IPartition partition, IVirtualProcessor processor, in ProcessorState state, TextWriter error)
    {
        bool longMode = (state.Control.Efer & 0x400) != 0;
        int bits = longMode && (state.Segments.Cs.Attributes & 0x2000) != 0 ? 64 : (state.Segments.Cs.Attributes & 0x4000) != 0 ? 32 : 16;
        byte[] code = new byte[48];
        int count = 0;
        for (; count < code.Length; count++)
        {
            ulong address = state.Segments.Cs.Base + state.General.Rip + (ulong)count;
            LinearTranslationResult at = processor.Translate(address, GuestAccess.Execute);
            if (at.Status != TranslationStatus.Success || !partition.Memory.TryGetSpan(at.PhysicalAddress, 1, false, out Span<byte> one))
                break;
            code[count] = one[0];
        }
        if (count == 0)
        {
            error.WriteLine("  no code can be read at rip");
            return;
        }
        Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(code, 0, count), state.General.Rip);
        NasmFormatter formatter = new();
        StringOutput text = new();
        for (int i = 0; i < 6 && decoder.IP < state.General.Rip + (ulong)count; i++)
        {
            decoder.Decode(out Instruction instruction);
            if (instruction.IsInvalid)
                break;
            formatter.Format(in instruction, text);
            error.WriteLine($"  {instruction.IP:X16}  {text.ToStringAndReset()}");
        }
    }
}
