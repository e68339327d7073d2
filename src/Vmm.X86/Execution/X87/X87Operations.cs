using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>A two-operand operation: destination, source.</summary>
internal interface IX87Operation
{
    static abstract Float80 Apply(Float80 destination, Float80 source, ref X87Environment env);

    /// <summary>
    /// Whether a denormal memory operand goes unreported next to this destination because a zero divide takes precedence (NaNs always do).
    /// </summary>
    static virtual bool ZeroDivides(Float80 destination) => false;
}

internal readonly struct X87Add : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Add(destination, source, ref env);
}

internal readonly struct X87Subtract : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Subtract(destination, source, ref env);
}

internal readonly struct X87SubtractReverse : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Subtract(source, destination, ref env);
}

internal readonly struct X87Multiply : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Multiply(destination, source, ref env);
}

internal readonly struct X87Divide : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Divide(destination, source, ref env);
}

internal readonly struct X87DivideReverse : IX87Operation
{
    public static Float80 Apply(Float80 destination, Float80 source, ref X87Environment env) =>
        X87Arithmetic.Divide(source, destination, ref env);

    public static bool ZeroDivides(Float80 destination) => destination.IsZero;
}
