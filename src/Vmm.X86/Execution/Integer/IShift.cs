using System.Numerics;

namespace Vmm.X86.Execution;

/// <summary>A shift or rotate; the count is already masked to 5 or 6 bits.</summary>
internal unsafe interface IShift
{
    /// <summary>Only CF and OF change.</summary>
    static abstract bool Rotates { get; }

    /// <summary>The result for a count that is not zero.</summary>
    static abstract T Compute<T>(VcpuState* s, T value, int count)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>Records the flags for a count that is not zero; runs after <see cref="Compute"/>.</summary>
    static abstract void SetFlags<T>(VcpuState* s, T value, int count, T result)
        where T : unmanaged, IBinaryInteger<T>;
}
