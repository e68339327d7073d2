using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>A VEX-encoded operation that can raise no exception once its source is read. See <see cref="IVexOperation"/>.</summary>
internal unsafe interface IVexPlainOperation
{
    /// <summary>Bytes of a memory source.</summary>
    static abstract int Size { get; }

    /// <summary>A memory source must be aligned to its size.</summary>
    static virtual bool Aligned => false;

    /// <summary>
    /// The operation. Must be inlined, or not: a handler around it keeps no frame either way, but may not hold a local's address.
    /// </summary>
    static abstract void Apply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b);
}

/// <summary>Such an operation among those that can.</summary>
internal readonly unsafe struct VexPlain<TOperation> : IVexOperation
    where TOperation : struct, IVexPlainOperation
{
    public static int Size => TOperation.Size;

    public static bool Aligned => TOperation.Aligned;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        TOperation.Apply(s, immediate, d, a, b);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b)
    {
        TOperation.Apply(s, immediate, d, a, b);
        return true;
    }
}
