using Vmm.Differential.Cases;

namespace Vmm.Differential.Comparison;

/// <summary>
/// Where processors may differ with the manuals' consent, and so what of an answer is not compared: the one table of it. The engine follows
/// Intel's manual; the hosts known so far are AMD's.
/// </summary>
internal static class MakerDifferences
{
    /// <summary>
    /// Bytes of the memory operand that are not compared: pointers to the last x87 instruction, which AMD's processors save only while an
    /// exception is pending (APM Vol. 2 11.4.4; SDM Vol. 1 8.1.8 leaves FOP to the processor too), and MXCSR_MASK (APM: bit 17 exists).
    /// </summary>
    public static ReadOnlySpan<(int From, int To)> SkippedMemory(Code code) => code switch
    {
        Code.Fnstenv_m28byte or Code.Fnsave_m108byte => s_environment32,
        Code.Fnstenv_m14byte or Code.Fnsave_m94byte => s_environment16,
        Code.Fxsave_m512byte or Code.Fxsave64_m512byte => s_fxsave,
        _ => [],
    };

    private static readonly (int From, int To)[] s_environment32 = [(12, 28)], s_environment16 = [(6, 14)], s_fxsave = [(6, 24), (28, 32)];

    /// <summary>Results within one unit in the last place: SDM Vol. 1 8.3.10 promises no more; C1 follows the rounding.</summary>
    public static bool IsTranscendental(Mnemonic mnemonic) => mnemonic is Mnemonic.F2xm1 or Mnemonic.Fyl2x or Mnemonic.Fyl2xp1
        or Mnemonic.Fpatan or Mnemonic.Fptan or Mnemonic.Fsin or Mnemonic.Fcos or Mnemonic.Fsincos;

    /// <summary>Whether a case's whole answer depends on the maker.</summary>
    public static bool Skips(in TestCase test) => false;
}
