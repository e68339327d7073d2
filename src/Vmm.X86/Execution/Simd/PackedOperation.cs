using System.Runtime.Intrinsics;

namespace Vmm.X86.Execution;

/// <summary>A packed operation without exceptions, on whole XMM registers: destination and source in, destination out.</summary>
internal interface IPackedOperation
{
    /// <summary>The operation.</summary>
    static abstract Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s);
}

/// <summary>The same with an immediate byte.</summary>
internal interface IPackedImmediateOperation
{
    /// <summary>The operation.</summary>
    static abstract Vector128<byte> Apply(Vector128<byte> d, Vector128<byte> s, byte immediate);

    /// <summary>
    /// By how many bits the upper lane of a 256-bit form looks at the immediate further on; 0 where both lanes use the same.
    /// </summary>
    static virtual int UpperLaneShift => 0;
}

/// <summary>An operation on MMX registers.</summary>
internal interface IMmxOperation
{
    /// <summary>The operation.</summary>
    static abstract ulong Apply(ulong d, ulong s);
}

/// <summary>The same with an immediate byte.</summary>
internal interface IMmxImmediateOperation
{
    /// <summary>The operation.</summary>
    static abstract ulong Apply(ulong d, ulong s, byte immediate);
}
