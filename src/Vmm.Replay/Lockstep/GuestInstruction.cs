using System.Collections.Immutable;
using Iced.Intel;

namespace Vmm.Replay;

/// <summary>The instruction at a processor's RIP.</summary>
internal sealed class GuestInstruction
{
    private const int Longest = 15;

    private readonly Instruction _instruction;

    private GuestInstruction(ulong rip, in Instruction instruction, ReadOnlySpan<byte> bytes, string text)
    {
        Rip = rip;
        _instruction = instruction;
        Bytes = Convert.ToHexString(bytes);
        Text = text;
    }

    public static GuestInstruction None { get; } = new(0, default, [], "");

    public ulong Rip { get; }

    public string Bytes { get; }

    public string Text { get; }

    public int Length => _instruction.Length;

    /// <summary>It is HLT.</summary>
    public bool IsHalt => _instruction.Mnemonic == Mnemonic.Hlt;

    /// <summary>It may change state beyond registers, or is unknown.</summary>
    public bool MayChangeSystem => _instruction.IsPrivileged || _instruction.Length == 0;

    /// <summary>It loads the interrupt descriptor table's register.</summary>
    public bool LoadsIdtr => _instruction.Mnemonic == Mnemonic.Lidt;

    public static GuestInstruction At(IVirtualProcessor processor)
    {
        processor.GetState(RegisterGroups.General | RegisterGroups.Segments | RegisterGroups.Control, out ProcessorState state);
        bool isLong = (state.Control.Efer & 0x400) != 0 && (state.Segments.Cs.Attributes & 0x2000) != 0;
        int bits = isLong ? 64 : (state.Segments.Cs.Attributes & 0x4000) != 0 ? 32 : 16;
        ulong start = isLong ? state.General.Rip : (uint)(state.Segments.Cs.Base + state.General.Rip);
        byte[] code = new byte[Longest];
        int count = 0;
        for (; count < Longest; count++)
        {
            LinearTranslationResult at = processor.Translate(start + (ulong)count, GuestAccess.Execute);
            if (at.Status != TranslationStatus.Success || !processor.Partition.Memory.TryGetSpan(at.PhysicalAddress, 1, false, out Span<byte> one))
                break;
            code[count] = one[0];
        }
        Decoder decoder = Decoder.Create(bits, new ByteArrayCodeReader(code, 0, count), state.General.Rip);
        decoder.Decode(out Instruction instruction);
        if (instruction.IsInvalid)
            return new GuestInstruction(state.General.Rip, default, code.AsSpan(0, count), count == 0 ? "(no code can be read)" : "(bad)");
        StringOutput text = new();
        new NasmFormatter().Format(in instruction, text);
        return new GuestInstruction(state.General.Rip, in instruction, code.AsSpan(0, instruction.Length), text.ToStringAndReset());
    }

    /// <summary>Why two results of it may differ; null = they may not.</summary>
    public string? Excuse(ImmutableArray<StateDifference> differences)
    {
        if (differences.Any(it => it.Element != StateElements.General.Id))
            return null;
        if (_instruction.Mnemonic is Mnemonic.Cpuid or Mnemonic.Rdtsc or Mnemonic.Rdtscp or Mnemonic.Rdrand or Mnemonic.Rdseed)
            return differences.All(it => it.Field != nameof(Vmm.Register.Rip)) ? "taken-from-first" : null;
        ulong undefined = Undefined();
        return differences.All(it => it.Field == nameof(Vmm.Register.Rflags) && (((ulong)it.Expected! ^ (ulong)it.Actual!) & ~undefined) == 0) ? "undefined-flags" : null;
    }

    private ulong Undefined()
    {
        RflagsBits bits = _instruction.RflagsUndefined;
        ulong flags = 0;
        foreach ((RflagsBits bit, ulong flag) in (ReadOnlySpan<(RflagsBits, ulong)>)
            [(RflagsBits.CF, 0x1), (RflagsBits.PF, 0x4), (RflagsBits.AF, 0x10), (RflagsBits.ZF, 0x40), (RflagsBits.SF, 0x80), (RflagsBits.OF, 0x800)])
        {
            if ((bits & bit) != 0)
                flags |= flag;
        }
        return flags;
    }
}
