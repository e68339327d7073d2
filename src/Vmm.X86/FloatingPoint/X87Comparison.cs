namespace Vmm.X86.FloatingPoint;

/// <summary>FCOM, FUCOM, FCOMI, FUCOMI, FTST and FXAM without their writing of condition codes or EFLAGS.</summary>
public static class X87Comparison
{
    private const ushort ExamineNormal = X87Environment.Condition2;
    private const ushort ExamineNaN = X87Environment.Condition0;
    private const ushort ExamineInfinity = X87Environment.Condition2 | X87Environment.Condition0;
    private const ushort ExamineZero = X87Environment.Condition3;
    private const ushort ExamineDenormal = X87Environment.Condition3 | X87Environment.Condition2;

    /// <summary>The C3, C2, C0 bits of FXAM for a register tagged empty.</summary>
    public const ushort ExamineEmpty = X87Environment.Condition3 | X87Environment.Condition0;

    /// <summary>The ordered comparison: any NaN is an invalid operation (FCOM, FCOMI, FICOM, FTST).</summary>
    public static X87Relation CompareOrdered(Float80 a, Float80 b, ref X87Environment env) => Compare(a, b, false, ref env);

    /// <summary>The unordered comparison: only signalling NaNs and unsupported encodings are invalid (FUCOM, FUCOMI).</summary>
    public static X87Relation CompareUnordered(Float80 a, Float80 b, ref X87Environment env) => Compare(a, b, true, ref env);

    /// <summary>The condition bits of FXAM, the sign in C1 (SDM Vol. 2, FXAM). Raises nothing.</summary>
    public static ushort Examine(Float80 a)
    {
        ushort sign = a.IsNegative ? X87Environment.Condition1 : (ushort)0;
        if (a.IsNormal)
            return (ushort)(sign | ExamineNormal);
        if (a.IsUnsupported)
            return sign;
        if (a.IsZero)
            return (ushort)(sign | ExamineZero);
        if (a.IsDenormal)
            return (ushort)(sign | ExamineDenormal);
        return (ushort)(sign | (a.IsInfinity ? ExamineInfinity : ExamineNaN));
    }

    private static X87Relation Compare(Float80 a, Float80 b, bool quiet, ref X87Environment env)
    {
        if (!a.IsNormal || !b.IsNormal)
        {
            if (a.IsUnsupported || b.IsUnsupported || a.IsNaN || b.IsNaN)
            {
                if (!quiet || a.IsUnsupported || b.IsUnsupported || a.IsSignalingNaN || b.IsSignalingNaN)
                    env.Raise(X87Exceptions.Invalid);
                return X87Relation.Unordered;
            }

            // The relation is known and reported even where the denormal exception is unmasked.
            _ = env.StopsOnDenormal(a, b);
            if (a.IsZero && b.IsZero)
                return X87Relation.Equal;
        }

        if (a.IsNegative != b.IsNegative)
            return a.IsNegative ? X87Relation.Less : X87Relation.Greater;
        int order = CompareMagnitudes(a, b);
        if (order == 0)
            return X87Relation.Equal;
        return order < 0 != a.IsNegative ? X87Relation.Less : X87Relation.Greater;
    }

    private static int CompareMagnitudes(Float80 a, Float80 b)
    {
        // A pseudo-denormal weighs what the same significand weighs under exponent 1.
        int exponentA = Math.Max(a.Exponent, 1);
        int exponentB = Math.Max(b.Exponent, 1);
        if (a.IsZero || b.IsZero)
            return a.Significand.CompareTo(b.Significand);
        return exponentA != exponentB ? exponentA.CompareTo(exponentB) : a.Significand.CompareTo(b.Significand);
    }
}
