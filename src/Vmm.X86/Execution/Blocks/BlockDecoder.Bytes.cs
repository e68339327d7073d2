using Iced.Intel;

namespace Vmm.X86.Execution;

internal sealed unsafe partial class BlockDecoder
{
    private const int LongestInstruction = 15;
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
}
