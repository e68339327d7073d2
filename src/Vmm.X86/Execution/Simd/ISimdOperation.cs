namespace Vmm.X86.Execution;

/// <summary>
/// A compact SSE operation: destination register, source register or memory. The source is a pointer, into the state block or to memory,
/// so that one operation serves both.
/// </summary>
internal unsafe interface ISimdOperation
{
    /// <summary>Bytes of a memory source.</summary>
    static abstract int Size { get; }

    /// <summary>A memory source must be aligned to its size.</summary>
    static abstract bool Aligned { get; }

    /// <summary>Does the ordinary case; false leaves everything as it was and asks for <see cref="Apply"/>.</summary>
    static abstract bool TryApply(VcpuState* s, DecodedOperation* op, byte* source);

    /// <summary>Does any case. False: an exception is recorded.</summary>
    static abstract bool Apply(ProcessorCore cpu, VcpuState* s, DecodedOperation* op, byte* source);
}
