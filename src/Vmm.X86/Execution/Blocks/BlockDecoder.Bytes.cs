using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private const int LongestInstruction = 15, SegmentGroup = 3, RepeatGroup = 4, ExtensionGroup = 5;
    private readonly Decoder?[] _plainExchange = new Decoder?[3];

    /// <summary>What the decoded form does not tell and the bytes do.</summary>
    private void Refine(ref Instruction instruction, byte* bytes)
    {
        if (_code64 && instruction.SegmentPrefix is not Iced.Intel.Register.None and < Iced.Intel.Register.FS)
            instruction.SegmentPrefix = Iced.Intel.Register.None; // SDM Vol. 1 3.3.7.1: as if it were not there
        if (instruction.Code == Code.Pause && _code64 && instruction.Length > 2 && (bytes[instruction.Length - 2] & 0xF1) == 0x41)
            ExchangeWithR8(ref instruction);
        else if (instruction.Op0Kind == OpKind.Memory && instruction.OpCount == 1)
            KeepModRm(ref instruction, bytes);
    }

    // REX.B makes the register R8, and of PAUSE the exchange that its opcode is.
    private void ExchangeWithR8(ref Instruction instruction)
    {
        int size = (int)(_mode & ExecutionMode.CodeSizeMask);
        Decoder decoder = _plainExchange[size]
            ??= Decoder.Create(16 << size, _reader, _model.DecoderOptions | DecoderOptions.ForceReservedNop | DecoderOptions.NoPause);
        _reader.Back(instruction.Length);
        decoder.IP = instruction.IP;
        decoder.Decode(out instruction);
    }

    // The last-opcode register keeps the ModRM byte as it was, however else the operand could have been encoded. x87 instructions have no
    // immediate: its place is free.
    private static void KeepModRm(ref Instruction instruction, byte* bytes)
    {
        int i = 0;
        while (i < instruction.Length - 1 && (bytes[i] & 0xF8) != 0xD8)
            i++;
        if (i < instruction.Length - 1 && X87Opcode.IsX87(instruction.Code))
            instruction.Immediate16 = (ushort)(X87Opcode.ModRmKept | bytes[i + 1]);
    }

    /// <summary>
    /// Of bytes that make no instruction: whether they would go on behind the fifteenth, which is #GP, or behind the readable ones; if not,
    /// they are #UD. Only repeated prefixes make an instruction so long; without the repetitions its end is in reach.
    /// </summary>
    private bool IsEndless(byte* bytes, byte* end)
    {
        int available = (int)Math.Min(LongestInstruction, end - bytes);
        byte* reduced = stackalloc byte[LongestInstruction];
        int segment = 0, repeat = 0, extension = 0, position = 0;
        uint seen = 0;
        for (; position < available && PrefixGroup(bytes[position]) is int group and >= 0; position++)
        {
            segment = group == SegmentGroup ? bytes[position] : segment;
            repeat = group == RepeatGroup ? bytes[position] : repeat;
            extension = group == ExtensionGroup ? bytes[position] : 0;
            seen |= 1U << group;
        }

        if (position == available)
            return true;
        // The length does not depend on whether the prefixes suit the opcode, as the decoder's verdict does: it is asked with fewer, too.
        bool sizeMatters = bytes[position] != 0x0F || position == available - 1 || (bytes[position + 1] & 0xF0) == 0x80;
        for (int variant = 0; variant < (sizeMatters ? 2 : 3); variant++)
        {
            int length = 0;
            if ((seen & 1) != 0 && variant < 2)
                reduced[length++] = 0x66;
            if ((seen & 2) != 0)
                reduced[length++] = 0x67;
            if (segment != 0)
                reduced[length++] = (byte)segment;
            if (variant == 0)
            {
                if ((seen & 4) != 0)
                    reduced[length++] = 0xF0;
                if (repeat != 0)
                    reduced[length++] = (byte)repeat;
            }

            if (extension != 0)
                reduced[length++] = (byte)extension;
            for (int i = position; i < available && length < LongestInstruction; i++)
                reduced[length++] = bytes[i];
            if (LacksEnd(reduced, length))
                return true;
        }

        return false;
    }

    private bool LacksEnd(byte* bytes, int length)
    {
        HostCodeReader reader = new();
        reader.Set(bytes, bytes + length);
        Decoder decoder = Decoder.Create(16 << (int)(_mode & ExecutionMode.CodeSizeMask), reader,
            _model.DecoderOptions | DecoderOptions.ForceReservedNop);
        decoder.Decode(out Instruction instruction);
        return instruction.IsInvalid && decoder.LastError == DecoderError.NoMoreBytes;
    }

    // Of REX prefixes the one right before the opcode counts.
    private int PrefixGroup(byte prefix) => prefix switch
    {
        0x66 => 0,
        0x67 => 1,
        0xF0 => 2,
        0x26 or 0x2E or 0x36 or 0x3E or 0x64 or 0x65 => SegmentGroup,
        0xF2 or 0xF3 => RepeatGroup,
        >= 0x40 and <= 0x4F when _code64 => ExtensionGroup,
        _ => -1,
    };
}
