using Vmm.X86.Execution;

namespace Vmm.Differential.Comparison;

/// <summary>
/// Which flags an instruction leaves undefined: the one table of them. Sources: SDM Vol. 1 appendix A, Vol. 2 by instruction.
/// </summary>
internal static class UndefinedFlags
{
    private const uint Cf = LazyFlags.Cf, Pf = LazyFlags.Pf, Af = LazyFlags.Af, Zf = LazyFlags.Zf, Sf = LazyFlags.Sf,
        Overflow = LazyFlags.Of;

    /// <param name="instruction">The instruction.</param>
    /// <param name="cl">CL before it: the count of shifts that do not carry their own.</param>
    public static uint Of(in Instruction instruction, byte cl)
    {
        switch (instruction.Mnemonic)
        {
            // SDM Vol. 2: "the state of the AF flag is undefined".
            case Mnemonic.And or Mnemonic.Or or Mnemonic.Xor or Mnemonic.Test:
                return Af;
            // "The SF, ZF, AF, and PF flags are undefined."
            case Mnemonic.Mul or Mnemonic.Imul:
                return Sf | Zf | Af | Pf;
            // "The CF, OF, SF, ZF, AF, and PF flags are undefined."
            case Mnemonic.Div or Mnemonic.Idiv:
                return LazyFlags.Arithmetic;
            // 32-bit code only. AAA, AAS: "The OF, SF, ZF, and PF flags are undefined"; AAM, AAD: "OF, AF, and CF"; DAA, DAS: "OF".
            case Mnemonic.Aaa or Mnemonic.Aas:
                return Overflow | Sf | Zf | Pf;
            case Mnemonic.Aam or Mnemonic.Aad:
                return Overflow | Af | Cf;
            case Mnemonic.Daa or Mnemonic.Das:
                return Overflow;
            // "CF, OF, SF, AF, and PF are undefined" (BSF, BSR); BT and its like leave ZF alone besides defining CF.
            case Mnemonic.Bsf or Mnemonic.Bsr:
                return Cf | Overflow | Sf | Af | Pf;
            case Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc:
                return Overflow | Sf | Af | Pf;
            // "OF, SF, PF, and AF flags are undefined."
            case Mnemonic.Tzcnt or Mnemonic.Lzcnt:
                return Overflow | Sf | Pf | Af;
            // "AF and PF flags are undefined", BEXTR: "AF, SF, and PF".
            case Mnemonic.Andn or Mnemonic.Blsi or Mnemonic.Blsr or Mnemonic.Blsmsk or Mnemonic.Bzhi:
                return Af | Pf;
            case Mnemonic.Bextr:
                return Af | Sf | Pf;
            case Mnemonic.Shl or Mnemonic.Sal or Mnemonic.Shr or Mnemonic.Sar:
                return Shift(in instruction, cl);
            case Mnemonic.Rol or Mnemonic.Ror or Mnemonic.Rcl or Mnemonic.Rcr:
                // "The OF flag is defined only for the 1-bit rotates; it is undefined in all other cases" but a count of zero.
                return Count(in instruction, cl) is 0 or 1 ? 0 : Overflow;
            case Mnemonic.Shld or Mnemonic.Shrd:
                return DoubleShift(in instruction, cl);
            default:
                return 0;
        }
    }

    /// <summary>SHLD and SHRD by more than the operand's width: "the result is undefined", flags included.</summary>
    public static bool ResultIsUndefined(in Instruction instruction, byte cl) =>
        instruction.Mnemonic is Mnemonic.Shld or Mnemonic.Shrd && Count(in instruction, cl) > Size(in instruction);

    // "The CF flag is undefined for SHL and SHR where the count is greater than or equal to the size of the destination operand. The OF
    // flag
    // is affected only for 1-bit shifts. If the count is 0, the flags are not affected. For a non-zero count, the AF flag is undefined."
    private static uint Shift(in Instruction instruction, byte cl)
    {
        int count = Count(in instruction, cl);
        if (count == 0)
            return 0;
        uint undefined = Af | (count == 1 ? 0 : Overflow);
        return count >= Size(in instruction) && instruction.Mnemonic != Mnemonic.Sar ? undefined | Cf : undefined;
    }

    private static uint DoubleShift(in Instruction instruction, byte cl)
    {
        int count = Count(in instruction, cl);
        if (count == 0)
            return 0;
        return count > Size(in instruction) ? LazyFlags.Arithmetic : Af | (count == 1 ? 0 : Overflow);
    }

    private static int Size(in Instruction instruction) => 8 * (instruction.Op0Kind == OpKind.Memory
        ? instruction.MemorySize.GetSize()
        : instruction.Op0Register.GetSize());

    private static int Count(in Instruction instruction, byte cl)
    {
        int last = instruction.OpCount - 1;
        int count = instruction.GetOpKind(last) == OpKind.Register ? cl : instruction.GetImmediate(last) is ulong value ? (int)value : 0;
        return count & (Size(in instruction) == 64 ? 63 : 31);
    }
}
