using Iced.Intel;

namespace Vmm.X86.Tests.Simd;

using Register = Iced.Intel.Register;

/// <summary>Every legacy encoding of MMX to SSE4.2, from the assembler's own enumeration, and instructions made from them.</summary>
internal static class SimdEncodings
{
    private static readonly CpuidFeature[] s_features =
    [
        CpuidFeature.MMX, CpuidFeature.SSE, CpuidFeature.SSE2, CpuidFeature.SSE3, CpuidFeature.SSSE3, CpuidFeature.SSE4_1,
        CpuidFeature.SSE4_2, CpuidFeature.AES, CpuidFeature.PCLMULQDQ,
    ];

    /// <summary>All of them except EMMS and FISTTP, which belong to the x87 unit.</summary>
    public static Code[] All { get; } =
    [
        .. Enum.GetValues<Code>().Distinct().Where(code => code.Encoding() == EncodingKind.Legacy && code != Code.Emms
            && code.Mnemonic() != Mnemonic.Fisttp && code.CpuidFeatures().Any(f => s_features.Contains(f))),
    ];

    /// <summary>Forms of one encoding: register and memory operands, 64-bit code. RBX (RDI where implied) points at the memory.</summary>
    public static IEnumerable<Instruction> Forms(Code code, Random random)
    {
        OpCodeInfo info = code.ToOpCode();
        OpCodeOperandKind[] kinds = [.. Enumerable.Range(0, info.OpCount).Select(info.GetOpKind)];
        bool either = kinds.Any(IsRegisterOrMemory);
        bool memoryOnly = kinds.Any(k => k is OpCodeOperandKind.mem);
        bool immediate = kinds.Contains(OpCodeOperandKind.imm8);
        int variants = immediate ? 24 : 1;
        for (int variant = 0; variant < variants; variant++)
        {
            if (!memoryOnly)
            {
                yield return Make(code, kinds, random, false);
                yield return Make(code, kinds, random, false);
            }
            if (either || memoryOnly)
                yield return Make(code, kinds, random, true);
        }
    }

    private static bool IsRegisterOrMemory(OpCodeOperandKind kind) => kind.ToString().Contains("_or_mem", StringComparison.Ordinal);

    private static Instruction Make(Code code, OpCodeOperandKind[] kinds, Random random, bool memory)
    {
        Instruction instruction = new() { Code = code };
        for (int operand = 0; operand < kinds.Length; operand++)
        {
            string kind = kinds[operand].ToString();
            if (kind.StartsWith("seg_rDI", StringComparison.Ordinal))
            {
                instruction.SetOpKind(operand, OpKind.MemorySegRDI);
                instruction.SegmentPrefix = Register.None;
            }
            else if (kind == "mem" || (memory && IsRegisterOrMemory(kinds[operand])))
            {
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryBase = Register.RBX;
                instruction.MemoryDisplacement64 = 32;
                instruction.MemoryDisplSize = 1;
            }
            else if (kind == "imm8")
            {
                instruction.SetOpKind(operand, OpKind.Immediate8);
                instruction.Immediate8 = (byte)random.Next(256);
            }
            else
            {
                instruction.SetOpKind(operand, OpKind.Register);
                instruction.SetOpRegister(operand, PickRegister(kind, random));
            }
        }
        return instruction;
    }

    private static Register PickRegister(string kind, Random random)
    {
        Register first = kind switch
        {
            _ when kind.StartsWith("xmm", StringComparison.Ordinal) => Register.XMM0 + random.Next(16),
            _ when kind.StartsWith("mm", StringComparison.Ordinal) => Register.MM0 + random.Next(8),
            _ when kind.StartsWith("r64", StringComparison.Ordinal) => Register.R8 + random.Next(8),
            _ when kind.StartsWith("r32", StringComparison.Ordinal) => Register.R8D + random.Next(8),
            _ when kind.StartsWith("r16", StringComparison.Ordinal) => Register.R8W + random.Next(8),
            _ when kind.StartsWith("r8", StringComparison.Ordinal) => Register.R8L + random.Next(8),
            _ => throw new NotSupportedException(kind),
        };
        return first;
    }
}
