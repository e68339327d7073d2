using System.Text;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Vmm.Conformance;

/// <summary>What a failure shows of one processor: registers before, now and expected, the last exits, and the code around RIP.</summary>
internal sealed class MachineDump
{
    private static readonly Register[] s_shown =
    [
        Register.Rax, Register.Rcx, Register.Rdx, Register.Rbx, Register.Rsp, Register.Rbp, Register.Rsi, Register.Rdi,
        Register.R8, Register.R9, Register.R10, Register.R11, Register.R12, Register.R13, Register.R14, Register.R15,
        Register.Rip, Register.Rflags, Register.Cr0, Register.Cr2, Register.Cr3, Register.Cr4, Register.Efer, Register.Dr6, Register.Dr7,
    ];

    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    public static MachineDump Take(
        IVirtualProcessor processor, ExitTrace exits, ProcessorState? before, IReadOnlyList<(Register Register, ulong Value)> expected)
    {
        MachineDump dump = new();
        IReadOnlyList<string> lines = exits.Describe();
        dump._text.AppendLine(lines.Count == 0 ? "No exit yet." : $"Last exits ({exits.Count} in all):");
        foreach (string line in lines)
            dump._text.Append("  ").AppendLine(line);
        try
        {
            if (processor.IsPending)
            {
                dump._text.AppendLine("Registers: an instruction is pending, so they are unspecified.");
                return dump;
            }
            processor.GetState(RegisterGroups.Registers, out ProcessorState now);
            dump.Registers(before, now, expected);
            dump.Code(processor, now);
        }
#pragma warning disable CA1031 // a dump of a broken backend must not hide the failure
        catch (Exception error)
#pragma warning restore CA1031
        {
            dump._text.AppendLine($"Registers: not readable ({error.GetType().Name}: {error.Message})");
        }
        return dump;
    }

    private void Registers(ProcessorState? before, in ProcessorState now, IReadOnlyList<(Register Register, ulong Value)> expected)
    {
        _text.AppendLine("  register         before              now         expected");
        foreach (Register register in s_shown)
        {
            ulong? old = before is { } state ? state.GetRegister(register) : null;
            ulong value = now.GetRegister(register);
            ulong? wanted = null;
            foreach ((Register named, ulong wants) in expected)
            {
                if (named == register)
                    wanted = wants;
            }
            if (old == value && wanted is null && value == 0)
                continue;
            string mark = wanted is { } w && w != value ? " <-- wrong" : old is not null && old != value ? " *" : "";
            _text.AppendLine($"  {register,-8} {Hex(old),16} {Hex(value),16} {Hex(wanted),16}{mark}");
        }
        SegmentRegisters s = now.Segments;
        _text.AppendLine($"  CS {Segment(s.Cs)}  SS {Segment(s.Ss)}  DS {Segment(s.Ds)}  TR {Segment(s.Tr)}");
        _text.AppendLine($"  GDTR 0x{s.Gdtr.Base:X}/{s.Gdtr.Limit:X}  IDTR 0x{s.Idtr.Base:X}/{s.Idtr.Limit:X}");

        static string Hex(ulong? value) => value is { } v ? v.ToString("X16") : "";
        static string Segment(SegmentDescriptor d) =>
            $"{d.Selector:X4}(base 0x{d.Base:X}, limit 0x{d.Limit:X}, attributes 0x{d.Attributes:X})";
    }

    private void Code(IVirtualProcessor processor, in ProcessorState now)
    {
        bool wide = (now.Control.Efer & 0x400) != 0 && (now.Segments.Cs.Attributes & 0x2000) != 0;
        int bitness = wide ? 64 : (now.Segments.Cs.Attributes & 0x4000) != 0 ? 32 : 16;
        ulong linear = wide ? now.General.Rip : (now.Segments.Cs.Base + now.General.Rip) & 0xFFFF_FFFF;
        byte[] bytes = new byte[64];
        int length = 0;
        while (length < bytes.Length)
        {
            ulong at = linear + (ulong)length;
            LinearTranslationResult where = processor.Translate(at, GuestAccess.None);
            if (where.Status != TranslationStatus.Success)
                break;
            int part = (int)Math.Min((ulong)(bytes.Length - length), 0x1000 - (at & 0xFFF));
            try
            {
                processor.Partition.Memory.Read(where.PhysicalAddress, bytes.AsSpan(length, part));
            }
            catch (ArgumentException)
            {
                break;
            }
            length += part;
        }
        _text.AppendLine(length == 0 ? $"No code can be read at 0x{linear:X}." : $"Code at RIP ({bitness} bits):");
        Decoder decoder = Decoder.Create(bitness, new ByteArrayCodeReader(bytes, 0, length), now.General.Rip);
        NasmFormatter formatter = new();
        StringOutput output = new();
        for (int i = 0; i < 6 && decoder.IP - now.General.Rip < (ulong)length; i++)
        {
            int start = (int)(decoder.IP - now.General.Rip);
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, output);
            string hexadecimal = Convert.ToHexString(bytes, start, instruction.Length);
            _text.AppendLine($"  {instruction.IP:X8}  {hexadecimal,-22} {output.ToStringAndReset()}");
        }
    }
}
