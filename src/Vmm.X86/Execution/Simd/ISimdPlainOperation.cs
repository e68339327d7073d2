using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>A compact SSE operation that can raise no exception once its source is read. See <see cref="ISimdOperation"/>.</summary>
internal unsafe interface ISimdPlainOperation
{
    /// <summary>Bytes of a memory source.</summary>
    static abstract int Size { get; }

    /// <summary>A memory source must be aligned to its size.</summary>
    static virtual bool Aligned => false;

    /// <summary>The operation.</summary>
    static abstract void Apply(VcpuState* s, DecodedOperation* op, byte* source);
}

/// <summary>Such an operation among those that can.</summary>
internal readonly unsafe struct SimdPlain<TOperation> : ISimdOperation
    where TOperation : struct, ISimdPlainOperation
{
    public static int Size => TOperation.Size;

    public static bool Aligned => TOperation.Aligned;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryApply(VcpuState* s, DecodedOperation* op, byte* source)
    {
        TOperation.Apply(s, op, source);
        return true;
    }

    public static bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source) => TryApply(s, op, source);
}
