using Iced.Intel;

namespace Vmm.X86.Tests.Vex;

using Register = Iced.Intel.Register;

/// <summary>
/// Every VEX encoding of AVX, AVX2, FMA, F16C, AES and PCLMULQDQ, from the assembler's own enumeration, and instructions made from
/// them.
/// </summary>
internal static class VexEncodings
{
    /// <summary>Where memory operands may lie from the scratch memory's start, and how much of it they can reach.</summary>
    public const int MemoryLength = 128;

    private static readonly CpuidFeature[] s_features =
    [
        CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.F16C, CpuidFeature.AES, CpuidFeature.PCLMULQDQ,
    ];

    /// <summary>All of them.</summary>
    public static Code[] All { get; } =
    [
        .. Enum.GetValues<Code>().Distinct().Where(code => code.Encoding() == EncodingKind.VEX
            && code.CpuidFeatures().Length > 0 && code.CpuidFeatures().All(f => s_features.Contains(f))),
    ];

    /// <summary>Indices and a mask in vector registers.</summary>
    public static bool IsGather(Code code) => code.ToOpCode().GetOpKind(1).ToString().StartsWith("mem_vsib", StringComparison.Ordinal);

    /// <summary>Floating-point operands.</summary>
    public static bool IsFloat(Code code) => code.ToOpCode().MemorySize.ToString().Contains("Float", StringComparison.Ordinal)
        || code.Mnemonic().ToString().StartsWith("Vcvt", StringComparison.Ordinal);

    /// <summary>A memory operand must be aligned.</summary>
    public static bool IsAligned(Code code) => code.Mnemonic() is Mnemonic.Vmovaps or Mnemonic.Vmovapd or Mnemonic.Vmovdqa
        or Mnemonic.Vmovntps or Mnemonic.Vmovntpd or Mnemonic.Vmovntdq or Mnemonic.Vmovntdqa;

    /// <summary>Forms of one encoding: register and memory operands, 64-bit code. RBX (RDI where implied) points at the memory.</summary>
    public static IEnumerable<Instruction> Forms(Code code, Random random)
    {
        OpCodeInfo info = code.ToOpCode();
        OpCodeOperandKind[] kinds = [.. Enumerable.Range(0, info.OpCount).Select(info.GetOpKind)];
        bool either = kinds.Any(IsRegisterOrMemory);
        bool memoryOnly = kinds.Any(k => k.ToString().StartsWith("mem", StringComparison.Ordinal));
        int variants = kinds.Contains(OpCodeOperandKind.imm8) ? 8 : 1;
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
        int[] distinct = [.. Enumerable.Range(0, 16).OrderBy(_ => random.Next())];
        bool gather = IsGather(code);
        for (int operand = 0; operand < kinds.Length; operand++)
        {
            string kind = kinds[operand].ToString();
            int number = gather || random.Next(3) != 0 ? distinct[operand] : distinct[0];
            if (kind.StartsWith("seg_rDI", StringComparison.Ordinal))
            {
                instruction.SetOpKind(operand, OpKind.MemorySegRDI);
            }
            else if (kind.StartsWith("mem", StringComparison.Ordinal) || (memory && IsRegisterOrMemory(kinds[operand])))
            {
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryBase = Register.RBX;
                instruction.MemoryDisplacement64 = IsAligned(code) ? 32 : 32 + (ulong)random.Next(32);
                instruction.MemoryDisplSize = 1;
                if (!gather)
                    continue;
                instruction.MemoryIndex = (kind[^1] == 'y' ? Register.YMM0 : Register.XMM0) + number;
                instruction.MemoryIndexScale = 1 << random.Next(4);
            }
            else if (kind == "imm8")
            {
                instruction.SetOpKind(operand, OpKind.Immediate8);
                instruction.Immediate8 = (byte)random.Next(256);
            }
            else
            {
                instruction.SetOpKind(operand, OpKind.Register);
                instruction.SetOpRegister(operand, kind[0] switch
                {
                    'x' => Register.XMM0 + number,
                    'y' => Register.YMM0 + number,
                    _ => (kind[1] == '6' ? Register.R8 : Register.R8D) + random.Next(8),
                });
            }
        }
        return instruction;
    }
}
