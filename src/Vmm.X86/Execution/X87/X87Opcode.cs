using Iced.Intel;

namespace Vmm.X86.Execution;

using Register = Iced.Intel.Register;

/// <summary>The eleven bits that the last-opcode register keeps: the low three of the first opcode byte, then the ModRM byte.</summary>
// SAFETY: the pointer is an Instruction alive for the call.
internal static unsafe class X87Opcode
{
    /// <summary>Set in the immediate of an x87 instruction, which has none of its own, where the low byte is its ModRM byte.</summary>
    public const ushort ModRmKept = 0x100;

    private static readonly bool[] s_isX87 = FindX87();

    /// <summary>Whether a code is one of the opcodes D8 to DF.</summary>
    public static bool IsX87(Code code) => s_isX87[(int)code];

    private static bool[] FindX87()
    {
        bool[] isX87 = new bool[Enum.GetValues<Code>().Max(code => (int)code) + 1];
        for (int code = 0; code < isX87.Length; code++)
        {
            OpCodeInfo info = ((Code)code).ToOpCode();
            isX87[code] = info.Encoding == EncodingKind.Legacy && info.Table == OpCodeTableKind.Normal
                && (info.OpCodeLength == 2 ? info.OpCode >> 8 : info.OpCode) is >= 0xD8 and <= 0xDF;
        }

        return isX87;
    }

    /// <summary>
    /// The opcode of a decoded instruction. Where the ModRM byte was not kept, the shortest of several equal encodings is assumed.
    /// </summary>
    public static ushort Of(Instruction* i)
    {
        OpCodeInfo info = i->Code.ToOpCode();
        uint opcode = info.OpCode;
        if (opcode > 0xFF)
        {
            uint register = 0;
            for (int operand = 0; operand < i->OpCount; operand++)
                register |= (uint)(i->GetOpRegister(operand) - Register.ST0);
            return (ushort)((opcode + (IsIndexed(info) ? register : 0)) & 0x7FF);
        }

        if ((i->Immediate16 & ModRmKept) != 0)
            return (ushort)(((opcode & 7) << 8) | (byte)i->Immediate16);
        return (ushort)(((opcode & 7) << 8) | ((uint)info.GroupIndex << 3) | ModeAndBase(i));
    }

    private static bool IsIndexed(OpCodeInfo info)
    {
        for (int operand = 0; operand < info.OpCount; operand++)
        {
            if (info.GetOpKind(operand) == OpCodeOperandKind.sti_opcode)
                return true;
        }

        return false;
    }

    private static uint ModeAndBase(Instruction* i)
    {
        Register @base = i->MemoryBase;
        int size = i->MemoryDisplSize;
        if (@base is >= Register.AX and <= Register.R15W || i->MemoryIndex is >= Register.AX and <= Register.R15W)
            return Mode(size) | Base16(@base, i->MemoryIndex);
        if (@base == Register.None && i->MemoryIndex == Register.None)
            return size == 2 ? 6u : i->CodeSize == CodeSize.Code64 ? 4u : 5u;
        if (@base is Register.RIP or Register.EIP)
            return 5;
        uint number = @base == Register.None ? 5 : (uint)(@base >= Register.RAX ? @base - Register.RAX : @base - Register.EAX) & 7;
        return (@base == Register.None ? 0 : Mode(size)) | (i->MemoryIndex != Register.None ? 4 : number);
    }

    private static uint Mode(int displacementSize) => displacementSize switch { 0 => 0u, 1 => 0x40u, _ => 0x80u };

    private static uint Base16(Register @base, Register index) => (@base, index) switch
    {
        (Register.BX, Register.SI) => 0,
        (Register.BX, Register.DI) => 1,
        (Register.BP, Register.SI) => 2,
        (Register.BP, Register.DI) => 3,
        (Register.SI, _) => 4,
        (Register.DI, _) => 5,
        (Register.BP, _) => 6,
        _ => 7,
    };
}
