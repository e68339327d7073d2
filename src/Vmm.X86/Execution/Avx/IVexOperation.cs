namespace Vmm.X86.Execution;

/// <summary>
/// A VEX-encoded operation on pointers: destination, first source (the same as the destination where the instruction has none) and second
/// source, which is a register or memory. Destinations and register sources are whole slots of the state block. Sources may be the
/// destination, so that everything is read before anything is written.
/// </summary>
internal unsafe interface IVexOperation
{
    /// <summary>Bytes of a memory source.</summary>
    static abstract int Size { get; }

    /// <summary>A memory source must be aligned to its size.</summary>
    static virtual bool Aligned => false;

    /// <summary>Does the ordinary case; false leaves everything as it was and asks for <see cref="Apply"/>.</summary>
    /// <param name="s">The state block.</param>
    /// <param name="immediate">The immediate byte, or the byte offset of a fourth register in the state block.</param>
    /// <param name="d">Destination.</param>
    /// <param name="a">First source.</param>
    /// <param name="b">Second source.</param>
    static abstract bool TryApply(VcpuState* s, ulong immediate, byte* d, byte* a, byte* b);

    /// <summary>Does any case. False: an exception is recorded.</summary>
    static abstract bool Apply(ProcessorCore cpu, VcpuState* s, ulong immediate, byte* d, byte* a, byte* b);
}
