using System.Numerics;

namespace Vmm.X86.Execution;

/// <summary>An operation of two operands with a result of the same width; unary ones ignore the second.</summary>
internal unsafe interface IBinaryOperation
{
    /// <summary>The result is written to the first operand (not so for CMP and TEST).</summary>
    static abstract bool Stores { get; }

    /// <summary>The result.</summary>
    static abstract T Compute<T>(VcpuState* s, T a, T b)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>
    /// Records the flags of a result; runs after <see cref="Compute"/>, with the flags still those from before the instruction.
    /// </summary>
    static abstract void SetFlags<T>(VcpuState* s, T a, T b, T result)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>Evaluates a condition on the operation's own operands, for the branch fused with it.</summary>
    static abstract bool Test<TCondition, T>(T a, T b, T result)
        where TCondition : struct, ICondition
        where T : unmanaged, IBinaryInteger<T>;
}

/// <summary>Whether a handler records flags: not when a later operation overwrites them unread.</summary>
internal interface IFlagPolicy
{
    /// <summary>Flags are recorded.</summary>
    static abstract bool Records { get; }
}

internal readonly struct RecordFlags : IFlagPolicy
{
    public static bool Records => true;
}

internal readonly struct DropFlags : IFlagPolicy
{
    public static bool Records => false;
}
