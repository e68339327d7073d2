namespace Vmm.X86.FloatingPoint;

/// <summary>What the x87 answers when an operand is a NaN or has an unsupported encoding (SDM Vol. 1 4.8.3.5 and table 4-7).</summary>
internal static class NaNRules
{
    /// <summary>True if an operand settles the result: the invalid operation is raised where it must be.</summary>
    public static bool Settle(Float80 a, Float80 b, ref X87Environment env, out Float80 result)
    {
        result = default;
        if (a.IsUnsupported || b.IsUnsupported)
        {
            result = env.Invalid();
            return true;
        }

        if (!a.IsNaN && !b.IsNaN)
            return false;
        if (a.IsSignalingNaN || b.IsSignalingNaN)
            env.Raise(X87Exceptions.Invalid);
        result = Select(a, b);
        return true;
    }

    /// <summary>The one-operand form.</summary>
    public static bool Settle(Float80 a, ref X87Environment env, out Float80 result)
    {
        result = default;
        if (a.IsUnsupported)
        {
            result = env.Invalid();
            return true;
        }

        if (!a.IsNaN)
            return false;
        if (a.IsSignalingNaN)
            env.Raise(X87Exceptions.Invalid);
        result = Quiet(a);
        return true;
    }

    public static Float80 Quiet(Float80 a) => new(a.Significand | Float80.QuietBit, a.SignExponent);

    private static Float80 Select(Float80 a, Float80 b)
    {
        if (!b.IsNaN)
            return Quiet(a);
        if (!a.IsNaN)
            return Quiet(b);
        // A quiet NaN wins over a signalling one; of two alike the larger significand, of equals the positive.
        bool signalingA = a.IsSignalingNaN;
        if (signalingA != b.IsSignalingNaN)
            return signalingA ? b : a;
        if (a.Significand != b.Significand)
            return Quiet(a.Significand > b.Significand ? a : b);
        return Quiet(a.SignExponent < b.SignExponent ? a : b);
    }
}
