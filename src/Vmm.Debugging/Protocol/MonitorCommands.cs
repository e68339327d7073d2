using System.Globalization;
using System.Text;

namespace Vmm.Debugging.Protocol;

/// <summary>What <c>monitor</c> can be asked: what the protocol has no packets for.</summary>
internal static class MonitorCommands
{
    private const int LongestDump = 4096;

    private const string Help = """
        dis [ADDRESS [COUNT]]   disassemble in the mode that the processor is in; from RIP without an address
        exits                   exits of the processor by kind, and instructions where they are counted
        help                    this
        msr NUMBER              a model-specific register
        registers               mode, segments and tables with their hidden parts
        slat                    counters of the nested page tables
        translate ADDRESS       where a linear address leads
        xp ADDRESS [LENGTH]     guest-physical memory

        @N before a command names the processor, from 0; else it is the one whose registers gdb last asked for.
        Addresses are linear where nothing else is said; numbers are decimal, or hexadecimal after 0x.

        """;

    /// <summary>Executes a command. Nothing that is typed makes it throw, save that the processor is not at rest.</summary>
    public static string Execute(string command, IVirtualProcessor processor)
    {
        string[] words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words.FirstOrDefault() is ['@', ..] named)
        {
            IReadOnlyList<IVirtualProcessor> processors = processor.Partition.Processors;
            if (!int.TryParse(named.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out int index) || index >= processors.Count)
                return $"'{named}' is no processor: they are @0 to @{processors.Count - 1}.\n";
            processor = processors[index];
            words = words[1..];
        }
        ulong[] numbers = new ulong[Math.Max(0, words.Length - 1)];
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!TryNumber(words[i + 1], out numbers[i]))
                return $"'{words[i + 1]}' is no number.\n";
        }
        return (words.FirstOrDefault() ?? "help", numbers) switch
        {
            ("help", []) => Help,
            ("exits", []) => Exits(processor),
            ("slat", []) => Lines(processor.Partition.Memory.Statistics.ToString()),
            ("msr", [ulong number]) => ReadMsr(processor, number),
            ("registers", []) => Registers(processor),
            ("dis", []) => Disassemble(processor, null, 10),
            ("dis", [ulong address]) => Disassemble(processor, address, 10),
            ("dis", [ulong address, ulong count]) => Disassemble(processor, address, count),
            ("translate", [ulong address]) => Translate(processor, address),
            ("xp", [ulong address]) => Dump(processor, address, 64),
            ("xp", [ulong address, ulong length]) => Dump(processor, address, length),
            _ => $"'{command.Trim()}' is not a command of this monitor, or not with these arguments; try 'monitor help'.\n",
        };
    }

    private static string Exits(IVirtualProcessor processor)
    {
        ProcessorCounters counters = processor.Counters;
        StringBuilder text = new();
        for (int kind = 0; kind < counters.Exits.Count; kind++)
        {
            if (counters.Exits[kind] != 0)
                text.Append(CultureInfo.InvariantCulture, $"{(ExitKind)kind,-16} {counters.Exits[kind]}\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"{"all",-16} {counters.TotalExits}\n");
        text.Append(CultureInfo.InvariantCulture, $"{"events delivered",-16} {counters.EventsDelivered}\n");
        if (processor.Partition.Capabilities.Has(Capability.InstructionCounting))
            text.Append(CultureInfo.InvariantCulture, $"{"instructions",-16} {counters.Instructions}\n");
        return text.ToString();
    }

    private static string Registers(IVirtualProcessor processor)
    {
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        SegmentRegisters s = state.Segments;
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"processor {processor.Index}, {Disassembler.CodeSize(in state)}-bit code, privilege level {(s.Ss.Attributes >> 5) & 3}\n");
        foreach ((string name, SegmentDescriptor segment) in ((string, SegmentDescriptor)[])
            [("cs", s.Cs), ("ss", s.Ss), ("ds", s.Ds), ("es", s.Es), ("fs", s.Fs), ("gs", s.Gs), ("ldtr", s.Ldtr), ("tr", s.Tr)])
            text.Append(CultureInfo.InvariantCulture, $"{name,-5} {segment.Selector:X4} base={segment.Base:X16} limit={segment.Limit:X8} attributes={segment.Attributes:X5}\n");
        text.Append(CultureInfo.InvariantCulture, $"gdtr  base={s.Gdtr.Base:X16} limit={s.Gdtr.Limit:X4}\nidtr  base={s.Idtr.Base:X16} limit={s.Idtr.Limit:X4}\n");
        ControlRegisters c = state.Control;
        text.Append(CultureInfo.InvariantCulture, $"cr0={c.Cr0:X8} cr2={c.Cr2:X16} cr3={c.Cr3:X16} cr4={c.Cr4:X8} cr8={c.Cr8:X} efer={c.Efer:X} xcr0={c.Xcr0:X}\n");
        DebugRegisters d = state.Debug;
        text.Append(CultureInfo.InvariantCulture, $"dr0={d.Dr0:X16} dr1={d.Dr1:X16} dr2={d.Dr2:X16} dr3={d.Dr3:X16} dr6={d.Dr6:X8} dr7={d.Dr7:X8}\n");
        return text.ToString();
    }

    private static string Disassemble(IVirtualProcessor processor, ulong? address, ulong count)
    {
        if (count is < 1 or > 256)
            return "From 1 to 256 instructions.\n";
        IReadOnlyList<GuestInstruction> instructions =
            address is { } at ? Disassembler.Disassemble(processor, at, (int)count) : Disassembler.Disassemble(processor, (int)count);
        return instructions.Count == 0 ? "There is no readable code.\n" : string.Concat(instructions.Select(instruction => $"{instruction}\n"));
    }

    private static string ReadMsr(IVirtualProcessor processor, ulong number)
    {
        try
        {
            return number <= uint.MaxValue ? string.Create(CultureInfo.InvariantCulture, $"0x{processor.ReadMsr((uint)number):x}\n") : "Such numbers have 32 bits.\n";
        }
        catch (ArgumentOutOfRangeException)
        {
            return $"The {processor.Partition.Capabilities.Backend} backend has no MSR 0x{number:X}.\n";
        }
    }

    private static string Translate(IVirtualProcessor processor, ulong address)
    {
        LinearTranslationResult result = processor.Translate(address, GuestAccess.None);
        return result.Status == TranslationStatus.Success
            ? string.Create(CultureInfo.InvariantCulture, $"0x{result.PhysicalAddress:x}, in a page of {result.PageSize >> 10} KiB\n")
            : string.Create(CultureInfo.InvariantCulture, $"{result.Status}, at level {result.FailingLevel}\n");
    }

    private static string Dump(IVirtualProcessor processor, ulong address, ulong length)
    {
        if (length is < 1 or > LongestDump)
            return $"From 1 to {LongestDump} bytes.\n";
        byte[] bytes = new byte[length];
        if (!LinearMemory.TryRead(processor.Partition, address, bytes))
            return "Not all of that is memory.\n";
        StringBuilder text = new();
        for (int offset = 0; offset < bytes.Length; offset += 16)
        {
            ReadOnlySpan<byte> line = bytes.AsSpan(offset, Math.Min(16, bytes.Length - offset));
            text.Append(CultureInfo.InvariantCulture, $"{address + (ulong)offset:X12}  ");
            foreach (byte value in line)
                text.Append(CultureInfo.InvariantCulture, $"{value:X2} ");
            text.Append('\n');
        }
        return text.ToString();
    }

    private static string Lines(string text) => text.Replace(", ", "\n", StringComparison.Ordinal) + "\n";

    private static bool TryNumber(string text, out ulong number) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? Hex.TryNumber(text.AsSpan(2), out number)
        : ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
