using Vmm.Differential.Cases;
using Vmm.X86.Execution;

namespace Vmm.Differential.Comparison;

/// <summary>
/// Where processors may differ with the manuals' consent, and so what of an answer is not compared: the one table of it. The engine follows
/// Intel's manual; the hosts known so far are AMD's.
/// </summary>
internal static class MakerDifferences
{
    private static readonly (int From, int To)[] s_environment32 = [(12, 28)], s_environment16 = [(6, 14)], s_fxsave = [(6, 24), (28, 32)],
        s_xsave = [(6, 24), (28, 32), (512, 520)];

    private static readonly System.Buffers.SearchValues<byte> s_prefixes = System.Buffers.SearchValues.Create(
        [0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65,
            0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F]);

    /// <summary>
    /// Bytes of the memory operand that are not compared: pointers to the last x87 instruction, which AMD's processors save only while an
    /// exception is pending (APM Vol. 2 11.4.4; SDM Vol. 1 8.1.8 leaves FOP to the processor too), MXCSR_MASK (APM: bit 17 exists), and
    /// which
    /// states XSAVE finds in use (SDM Vol. 1 13.6).
    /// </summary>
    public static ReadOnlySpan<(int From, int To)> SkippedMemory(Code code) => code switch
    {
        Code.Fnstenv_m28byte or Code.Fnsave_m108byte => s_environment32,
        Code.Fnstenv_m14byte or Code.Fnsave_m94byte => s_environment16,
        Code.Fxsave_m512byte or Code.Fxsave64_m512byte => s_fxsave,
        Code.Xsave_mem or Code.Xsave64_mem or Code.Xsaveopt_mem or Code.Xsaveopt64_mem or Code.Xsavec_mem or Code.Xsavec64_mem => s_xsave,
        _ => [],
    };

    /// <summary>Results within one unit in the last place: SDM Vol. 1 8.3.10 promises no more; C1 follows the rounding.</summary>
    public static bool IsTranscendental(Mnemonic mnemonic) => mnemonic is Mnemonic.F2xm1 or Mnemonic.Fyl2x or Mnemonic.Fyl2xp1
        or Mnemonic.Fpatan or Mnemonic.Fptan or Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos;

    /// <summary>
    /// AMD's processors go over to MMX before a conversion's SIMD exception or a masked store's page fault is found, and the manuals do
    /// not say when the transition happens
    /// (SDM Vol. 2A CVTPS2PI): tags and top of stack are not compared then.
    /// </summary>
    public static bool LeavesTagsOpen(Mnemonic mnemonic, int vector) => mnemonic is Mnemonic.Maskmovq
        || (vector == ExceptionVector.SimdFloatingPoint && mnemonic is Mnemonic.Cvtpi2ps or Mnemonic.Cvtps2pi or Mnemonic.Cvttps2pi
            or Mnemonic.Cvtpd2pi or Mnemonic.Cvttpd2pi);

    /// <summary>
    /// Registers of which only the lower half is compared: with 32-bit addresses and a count of zero, Intel's processors clear the upper
    /// half
    /// of RCX, and of the pointers that the string instruction would have moved; AMD's leave them (neither manual says).
    /// </summary>
    public static bool HalvesOnly(in TestCase test, ulong count, int register) => register is 1 or 6 or 7 && (uint)count == 0
        && IsRepeated(in test) && HasNarrowString(in test);

    /// <summary>
    /// A fault in the middle of POPA: registers popped before it have changed on AMD's processors, and no manual says that they have not.
    /// </summary>
    public static bool LeavesGeneralOpen(Mnemonic mnemonic) => mnemonic is Mnemonic.Popa or Mnemonic.Popad;

    /// <summary>
    /// PUSH of a segment register with 32-bit operand size: two bytes are written or four (SDM Vol. 2B PUSH); the upper two are not
    /// compared.
    /// </summary>
    public static bool PushesSelector(Code code) => code is Code.Pushd_CS or Code.Pushd_DS or Code.Pushd_ES or Code.Pushd_SS
        or Code.Pushd_FS or Code.Pushd_GS;

    /// <summary>Whether a case's whole answer depends on the maker.</summary>
    /// <param name="test">The case.</param>
    /// <param name="bytes">Its instruction's bytes.</param>
    /// <param name="general">General registers before it.</param>
    /// <param name="flags">RFLAGS before it.</param>
    /// <param name="mask">The register with a byte mask, where the instruction has one: its sign bits, else zero.</param>
    public static bool Skips(in TestCase test, ReadOnlySpan<byte> bytes, ReadOnlySpan<ulong> general, ulong flags, uint mask)
    {
        Instruction i = test.Instruction;
        if (i.IsInvalid)
            return HasOpenLength(bytes);
        switch (i.Mnemonic)
        {
            // A repeat prefix is reserved there (SDM Vol. 2A 2.1.1); AMD's processors let it choose the condition.
            case Mnemonic.Loope or Mnemonic.Loopne:
                return bytes[..(i.Length - 2)].IndexOfAny((byte)0xF2, (byte)0xF3) >= 0;
            // With a count of zero AMD's processors still check the permission; Intel's manual does not say.
            case Mnemonic.Insb or Mnemonic.Insw or Mnemonic.Insd or Mnemonic.Outsb or Mnemonic.Outsw or Mnemonic.Outsd:
                return IsRepeated(in test) && (HasNarrowString(in test) ? (uint)general[1] : general[1]) == 0;
            // 0F 0D with a register: reserved NOP (SDM Vol. 2B, opcode map), #UD (APM Vol. 3 PREFETCH).
            case Mnemonic.Reservednop:
                return i.Op0Kind == OpKind.Register && i.Code is Code.Reservednop_rm16_r16_0F0D or Code.Reservednop_rm32_r32_0F0D
                    or Code.Reservednop_rm64_r64_0F0D;
            // From memory Intel's reads two bytes, AMD's four (SDM Vol. 2B MOVSXD; APM Vol. 3).
            case Mnemonic.Movsxd when i.Code == Code.Movsxd_r16_rm16 && i.Op1Kind == OpKind.Memory:
                return true;
            // "Exceptions associated with addressing memory and page faults may still be signaled" for a mask of zeroes (SDM Vol. 2B).
            case Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu:
                int size = i.Mnemonic == Mnemonic.Maskmovq ? 8 : 16;
                return mask == 0 || (flags & LazyFlags.Ac) != 0 || (test.Operand & 0xFFF) + (ulong)size > 4096;
            // Whether a ModRM byte belongs to them, and so is fetched (SDM Vol. 2B UD: "some older processors do not").
            case Mnemonic.Ud0 or Mnemonic.Ud1:
                return test.Truncated;
            // States that only the host has; and alignment checks before #GP.
            case Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or Mnemonic.Xsavec or Mnemonic.Xsavec64
                or Mnemonic.Xrstor or Mnemonic.Xrstor64:
                return (general[0] & 0xFFFF_FFF8) != 0 || (uint)general[2] != 0 || ((flags & LazyFlags.Ac) != 0
                    && (test.Operand & 63) != 0);
            // Which of its accesses are checked for alignment beyond the pushes is not documented.
            case Mnemonic.Enter when (flags & LazyFlags.Ac) != 0:
                return true;
            default:
                break;
        }

        // VEX.W in 32-bit code: ignored (SDM Vol. 2B PEXTRD, PINSRD, note 1); #UD on AMD's processors.
        if (test.Bits == 32 && i.Code is Code.VEX_Vpextrd_rm32_xmm_imm8 or Code.VEX_Vpinsrd_xmm_xmm_rm32_imm8
            && bytes[..Math.Min(bytes.Length, 15)].IndexOf((byte)0xC4) is int vex and >= 0 && (bytes[vex + 2] & 0x80) != 0)
            return true;
        if (PushesSelector(i.Code) && (flags & LazyFlags.Ac) != 0)
            return true;
        // Alignment checks of operands wider than eight bytes are the processor's choice (SDM Vol. 3A 6.15, #AC; FXSAVE).
        return (flags & LazyFlags.Ac) != 0 && i.MemorySize.GetSize() > 8 && (test.Operand & 15) != 0;
    }

    /// <summary>
    /// Whether two different faults of the same instruction are both right, because the manuals leave the order of checks and of parts open
    /// (SDM Vol. 3A 6.9, table 6-2: faults on executing an instruction).
    /// </summary>
    public static bool AreBothRight(in TestCase test, (int Vector, ulong Address) ours, (int Vector, ulong Address) theirs)
    {
        Instruction i = test.Instruction;
        int size = i.MemorySize.GetSize();
        // "When the effective limit is FFFFFFFFH, these accesses may or may not cause the indicated exceptions" (SDM Vol. 3A 5.3).
        bool wraps = ours.Vector == ExceptionVector.AlignmentCheck
            || (ours.Vector == ExceptionVector.PageFault && ours.Address is > 0xFFFF_FC00 or < 0x400);
        if (test.Bits == 32 && wraps
            && theirs.Vector is ExceptionVector.StackFault or ExceptionVector.GeneralProtection)
            return true;
        switch (i.Mnemonic)
        {
            // Which string is read first.
            case Mnemonic.Cmpsb or Mnemonic.Cmpsw or Mnemonic.Cmpsd or Mnemonic.Cmpsq:
                return IsAddressFault(ours.Vector) && IsAddressFault(theirs.Vector);
            // Whether the target is looked at before the return address is pushed.
            case Mnemonic.Call:
                return ours.Vector == ExceptionVector.GeneralProtection && IsAddressFault(theirs.Vector);
            // At its first byte, or at the first that the mask selects.
            case Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu:
                return ours.Vector == theirs.Vector && ours.Vector == ExceptionVector.PageFault
                    && theirs.Address == test.Operand && ours.Address - test.Operand < 16;
            // In which order the parts of a state image are touched.
            case Mnemonic.Fldenv or Mnemonic.Frstor or Mnemonic.Fnstenv or Mnemonic.Fnsave or Mnemonic.Fxsave or Mnemonic.Fxsave64
                or Mnemonic.Fxrstor or Mnemonic.Fxrstor64:
            case Mnemonic.Xsave or Mnemonic.Xsave64 or Mnemonic.Xsaveopt or Mnemonic.Xsaveopt64 or Mnemonic.Xsavec or Mnemonic.Xsavec64
                or Mnemonic.Xrstor or Mnemonic.Xrstor64:
                size = Math.Max(size, CaseLayout.XsaveLength);
                // A 16-bit offset may wrap inside the image, or not (SDM Vol. 3A 5.3).
                ulong mask = test.Bits == 32 && test.Operand + (ulong)size > 0xFFFF && test.Operand <= 0xFFFF ? 0xFFFF : ulong.MaxValue;
                if (ours.Vector == theirs.Vector && ours.Vector == ExceptionVector.PageFault
                    && ((theirs.Address - test.Operand) & mask) < (ulong)size && ((ours.Address - test.Operand) & mask) < (ulong)size)
                    return true;
                break;
            default:
                break;
        }

        // An operand that is neither aligned nor canonical: #GP for the one, #SS or #GP for the other.
        uint alignment = size > 512 ? 63u : size == 32 ? 31u : 15u;
        return size >= 16 && (test.Operand & alignment) != 0
            && ours.Vector is ExceptionVector.StackFault or ExceptionVector.GeneralProtection
            && theirs.Vector is ExceptionVector.StackFault or ExceptionVector.GeneralProtection;
    }

    // Where a branch that LOCK makes invalid ends depends on whether 66 shortens its displacement, and UD0 and UD1 have a ModRM byte or
    // not.
    private static bool HasOpenLength(ReadOnlySpan<byte> bytes)
    {
        int n = bytes.IndexOfAnyExcept(s_prefixes);
        if (n < 0 || n + 1 >= bytes.Length)
            return false;
        if (bytes[n] == 0x0F && bytes[n + 1] is 0xFF or 0xB9)
            return true;
        // POP's other forms: #UD (SDM Vol. 2B POP); AMD's processors measure them as XOP instructions, which a few of them had.
        if (bytes[n] == 0x8F && (bytes[n + 1] & 0x38) != 0)
            return true;
        // The space of EVEX, of which such hosts have more than any profile.
        if (bytes[n] == 0x62)
            return true;
        // VPERMQ and VPERMPD with VEX.W clear: #UD (SDM Vol. 2C); AMD's processors do not look at the bit.
        if (bytes[n] == 0xC4 && n + 3 < bytes.Length && (bytes[n + 1] & 0x1F) == 3 && bytes[n + 3] is 0 or 1)
            return true;
        return bytes[..Math.Max(n, 0)].Contains((byte)0x66)
            && (bytes[n] is 0xE8 or 0xE9 || (bytes[n] == 0x0F && bytes[n + 1] is >= 0x80 and <= 0x8F));
    }

    private static bool IsAddressFault(int vector) => vector is ExceptionVector.PageFault or ExceptionVector.GeneralProtection
        or ExceptionVector.StackFault or ExceptionVector.AlignmentCheck;

    private static bool IsRepeated(in TestCase test) => test.Instruction.HasRepPrefix || test.Instruction.HasRepnePrefix;

    private static bool HasNarrowString(in TestCase test)
    {
        Instruction i = test.Instruction;
        for (int operand = 0; operand < i.OpCount; operand++)
        {
            if (i.GetOpKind(operand) is OpKind.MemorySegESI or OpKind.MemorySegEDI or OpKind.MemoryESEDI)
                return true;
        }

        return false;
    }
}
