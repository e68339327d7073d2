namespace Vmm.X86.Execution;

/// <summary>How two values compare.</summary>
internal enum FloatRelation
{
    /// <summary>Equal.</summary>
    Equal,

    /// <summary>The first is less.</summary>
    Less,

    /// <summary>The first is greater.</summary>
    Greater,

    /// <summary>At least one is a NaN.</summary>
    Unordered,
}

internal static partial class SoftFloat<TFormat>
{
    /// <summary>Compares. A quiet NaN is invalid only when <paramref name="signalling"/>; a signalling one always.</summary>
    public static FloatRelation Compare(ulong a, ulong b, bool signalling, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
        {
            if (signalling || FloatFormat<TFormat>.IsSignallingNaN(a) || FloatFormat<TFormat>.IsSignallingNaN(b))
                flags |= MxcsrBits.InvalidOperation;
            return FloatRelation.Unordered;
        }
        Denormals(ref a, ref b, mxcsr, ref flags);
        return Order(a, b);
    }

    private static FloatRelation Order(ulong a, ulong b)
    {
        ulong x = FloatFormat<TFormat>.Magnitude(a), y = FloatFormat<TFormat>.Magnitude(b);
        if ((x | y) == 0)
            return FloatRelation.Equal;
        bool negativeA = (a & FloatFormat<TFormat>.Sign) != 0, negativeB = (b & FloatFormat<TFormat>.Sign) != 0;
        if (negativeA != negativeB)
            return negativeA ? FloatRelation.Less : FloatRelation.Greater;
        if (x == y)
            return FloatRelation.Equal;
        return (x < y) != negativeA ? FloatRelation.Less : FloatRelation.Greater;
    }

    /// <summary>The lesser; the second operand when they are equal or one is a NaN, which is invalid also when quiet.</summary>
    public static ulong Minimum(ulong a, ulong b, uint mxcsr, ref uint flags) => Choose(a, b, FloatRelation.Less, mxcsr, ref flags);

    /// <summary>The greater, likewise.</summary>
    public static ulong Maximum(ulong a, ulong b, uint mxcsr, ref uint flags) => Choose(a, b, FloatRelation.Greater, mxcsr, ref flags);

    private static ulong Choose(ulong a, ulong b, FloatRelation wanted, uint mxcsr, ref uint flags)
    {
        if (FloatFormat<TFormat>.IsNaN(a) || FloatFormat<TFormat>.IsNaN(b))
        {
            flags |= MxcsrBits.InvalidOperation;
            Denormal(ref b, mxcsr);
            return b;
        }
        Denormals(ref a, ref b, mxcsr, ref flags);
        return Order(a, b) == wanted ? a : b;
    }

    /// <summary>The predicates of CMPPS and its kin (SDM Vol. 2A table 3-1), immediate 0 to 7: all ones or zero.</summary>
    public static bool Test(ulong a, ulong b, int predicate, uint mxcsr, ref uint flags)
    {
        bool signalling = (predicate & 3) is 1 or 2;
        FloatRelation relation = Compare(a, b, signalling, mxcsr, ref flags);
        bool holds = (predicate & 3) switch
        {
            0 => relation == FloatRelation.Equal,
            1 => relation == FloatRelation.Less,
            2 => relation is FloatRelation.Less or FloatRelation.Equal,
            _ => relation == FloatRelation.Unordered,
        };
        return holds != ((predicate & 4) != 0);
    }
}
