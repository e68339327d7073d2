using Iced.Intel;
using Vmm.X86.Tests.Execution;
using Vmm.X86.Tests.Simd;
using Vmm.X86.Tests.X87;
using IcedRegister = Iced.Intel.Register;

namespace Vmm.X86.Tests.Programs;

/// <summary>
/// Straight-line programs of integer, SSE2 and x87 instructions whose every result is defined. RSI points at their memory and R8 is a
/// small index;
/// no instruction changes these two.
/// </summary>
internal sealed class ProgramSource(Random random)
{
    private static readonly string[] s_plain = ["add", "logic", "move", "extend", "condition", "condition", "exchange", "flags"];
    private static readonly string[] s_undefining = ["shift", "rotate", "double shift", "bit", "multiply"];

    private static readonly Dictionary<string, byte[][]> s_integer = s_plain.Concat(s_undefining).Distinct().ToDictionary(
        group => group,
        group => IntegerForms.Of(group).Where(IsDefined).Select(form => form.Bytes).ToArray());

    private static readonly byte[][] s_simd = [.. Simd()];
    private static readonly byte[][] s_x87 = [.. X87()];

    // cmp rax, rdx | add r10, rax | sub ecx, edi | test rdx, rdx is no use: it leaves AF undefined
    private static readonly byte[][] s_definers = [[0x48, 0x39, 0xD0], [0x49, 0x01, 0xC2], [0x29, 0xF9], [0x45, 0x39, 0xD1]];

    private static readonly byte[] s_division = [0x31, 0xD2, 0x83, 0xC9, 0x01, 0xF7, 0xF1];

    /// <summary>The instructions of one program, encoded.</summary>
    public List<byte[]> Make(int length)
    {
        List<byte[]> program = [];
        int floats = random.Next(4);
        while (program.Count < length)
        {
            int choice = random.Next(20);
            if (choice < 4 * floats / 3)
            {
                program.Add(Pick(s_simd));
            }
            else if (choice < 2 * floats)
            {
                program.Add(Pick(s_x87));
            }
            else if (choice == 19)
            {
                program.Add([(byte)(0x70 + random.Next(16)), 0]); // a branch to what follows either way
            }
            else if (choice >= 16)
            {
                program.Add(choice == 18 && random.Next(3) == 0
                    ? s_division : Pick(s_integer[s_undefining[random.Next(s_undefining.Length)]]));
                program.Add(Pick(s_definers));
            }
            else
            {
                program.Add(Pick(s_integer[s_plain[random.Next(s_plain.Length)]]));
            }
        }
        return program;
    }

    private byte[] Pick(byte[][] from) => from[random.Next(from.Length)];

    private static Instruction Decode(byte[] bytes)
    {
        Decoder decoder = Decoder.Create(64, bytes);
        decoder.Decode(out Instruction instruction);
        return instruction;
    }

    private static bool IsDefined(IntegerForm form)
    {
        Instruction i = Decode(form.Bytes);
        return i.Mnemonic switch
        {
            Mnemonic.Xlatb or Mnemonic.Cmpxchg16b or Mnemonic.Lahf or Mnemonic.Std => false,
            Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc => i.Op0Kind != OpKind.Memory || i.Op1Kind != OpKind.Register,
            Mnemonic.Shld or Mnemonic.Shrd => i.Op1Register.GetSize() != 2,
            Mnemonic.Movbe => false,
            _ => true,
        };
    }

    private static IEnumerable<byte[]> Simd()
    {
        Random forms = new(7);
        foreach (Code code in SimdEncodings.All)
        {
            OpCodeInfo info = code.ToOpCode();
            if (!code.CpuidFeatures().All(feature => feature is CpuidFeature.SSE or CpuidFeature.SSE2)
                || info.Mnemonic is Mnemonic.Ldmxcsr or Mnemonic.Rcpps or Mnemonic.Rcpss or Mnemonic.Rsqrtps or Mnemonic.Rsqrtss
                || Enumerable.Range(0, info.OpCount).Any(n => info.GetOpKind(n).ToString() is { } kind && (kind.StartsWith("mm",
                    StringComparison.Ordinal)
                    || kind.StartsWith("seg_rDI", StringComparison.Ordinal))))
                continue;
            foreach (Instruction form in SimdEncodings.Forms(code, forms).Take(6))
            {
                Instruction i = form;
                if (i.OpCount != 0 && i.Op0Kind == OpKind.Register && i.Op0Register.GetFullRegister() == IcedRegister.R8)
                    continue;
                if (i.MemoryBase == IcedRegister.RBX)
                    i.MemoryBase = IcedRegister.RSI;
                yield return IntegerForm.Encode(in i);
            }
        }
    }

    private static IEnumerable<byte[]> X87()
    {
        foreach ((byte[] bytes, Instruction instruction) in X87Encodings.All)
        {
            if (bytes[0] is < 0xD8 or > 0xDF || instruction.Mnemonic is Mnemonic.Fldcw or Mnemonic.Fldenv or Mnemonic.Frstor or Mnemonic.Fnsave or Mnemonic.Fnstenv
                or Mnemonic.F2xm1 or Mnemonic.Fyl2x or Mnemonic.Fyl2xp1 or Mnemonic.Fptan or Mnemonic.Fpatan or Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos
                or Mnemonic.Fnstsw or Mnemonic.Fstpnce or Mnemonic.Fndisi or Mnemonic.Fneni or Mnemonic.Fnsetpm)
                continue;
            byte[] own = [.. bytes];
            if (own[1] < 0xC0)
                own[1] = (byte)((own[1] & 0xF8) | 6); // RSI instead of RDI
            yield return own;
        }
    }
}
