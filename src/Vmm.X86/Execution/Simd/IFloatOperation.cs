using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>An arithmetic operation on one element. The first operand is the destination's; unary operations take the second.</summary>
internal interface IFloatOperation
{
    /// <summary>The result by the guest's MXCSR; exceptions are merged into <paramref name="flags"/>.</summary>
    static abstract ulong Exact<TFormat>(ulong a, ulong b, uint mxcsr, ref uint flags)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer.</summary>
    static abstract ulong Host<TFormat>(ulong a, ulong b)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer is the guest's when <see cref="HostFloat.Usual"/>.</summary>
    static abstract bool Ordinary<TFormat>(ulong a, ulong b, ulong result)
        where TFormat : struct, IFloatFormat;

    /// <summary>The host's answer for a whole register of floats of type <typeparamref name="T"/>.</summary>
    static abstract Vector128<T> Host<T>(Vector128<T> a, Vector128<T> b);

    /// <summary>The first operand plays no part.</summary>
    static abstract bool Unary { get; }

    /// <summary>A zero result is always exact.</summary>
    static abstract bool Additive { get; }
}
