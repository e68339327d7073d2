namespace Vmm.X86.FloatingPoint;

/// <summary>
/// How the first operand of a comparison stands to the second; the values are the C3, C2, C0 bits that FCOM sets (SDM Vol. 1 table 8-6).
/// </summary>
public enum X87Relation : ushort
{
    /// <summary>The first is greater.</summary>
    Greater = 0,

    /// <summary>The first is less.</summary>
    Less = X87Environment.Condition0,

    /// <summary>Equal; +0 and -0 are.</summary>
    Equal = X87Environment.Condition3,

    /// <summary>One is a NaN or has an unsupported encoding.</summary>
    Unordered = X87Environment.Condition0 | X87Environment.Condition2 | X87Environment.Condition3,
}
