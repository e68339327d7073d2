namespace Vmm.Differential.Cases;

/// <summary>One of the assembler library's encodings, as far as making its bytes needs it.</summary>
internal sealed class Encoding
{
    private Encoding(OpCodeInfo info)
    {
        Code = info.Code;
        Info = info;
        uint opcode = info.OpCode;
        Opcode = info.OpCodeLength == 2 ? [(byte)(opcode >> 8), (byte)opcode] : [(byte)opcode];
        for (int i = 0; i < info.OpCount; i++)
        {
            InOpcode |= info.GetOpKind(i) is OpCodeOperandKind.sti_opcode or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r16_opcode
                or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r64_opcode;
        }

        Float = info.MemorySize.ToString() is { } size && size.Contains("Float64", StringComparison.Ordinal) ? ValueKind.Double
            : info.MemorySize.ToString().Contains("Float32", StringComparison.Ordinal) ? ValueKind.Single
            : info.MemorySize.ToString().Contains("Float16", StringComparison.Ordinal) ? ValueKind.Half : ValueKind.Random;
        // Table lookups on every case would cost more than the case.
        Name = Code.ToString();
    }

    public Code Code { get; }

    public string Name { get; }

    public OpCodeInfo Info { get; }

    /// <summary>Opcode bytes without prefixes and map.</summary>
    public byte[] Opcode { get; }

    /// <summary>A register's number is part of the opcode.</summary>
    public bool InOpcode { get; }

    /// <summary>Which values its memory operand is made for.</summary>
    public ValueKind Float { get; }

    /// <summary>Every encoding that 64-bit or 32-bit code can have, in legacy or VEX form.</summary>
    public static Encoding[] All { get; } =
    [
        .. Enum.GetValues<Code>().Distinct().Where(code => code > Code.DeclareQword).Select(code => code.ToOpCode())
            .Where(info => info.IsInstruction && (info.Mode64 || info.Mode32) && !info.Fwait && info.DecoderOption == DecoderOptions.None
                && info.Encoding is EncodingKind.Legacy or EncodingKind.VEX)
            .Select(info => new Encoding(info)),
    ];

    private static readonly Dictionary<Code, Encoding> s_byCode = All.ToDictionary(encoding => encoding.Code);

    public static Encoding? Of(Code code) => s_byCode.GetValueOrDefault(code);
}
