using System.Numerics;
using System.Runtime.CompilerServices;

namespace Vmm.X86.Execution;

/// <summary>A branch condition (SDM Vol. 1 appendix B), over recorded flags or over the operands of the comparison before it.</summary>
internal unsafe interface ICondition
{
    /// <summary>From the recorded flags.</summary>
    static abstract bool Test(VcpuState* s);

    /// <summary>As after CMP a, b.</summary>
    static abstract bool Compare<T>(T a, T b)
        where T : unmanaged, IBinaryInteger<T>;

    /// <summary>As after a logical operation with this result (CF = OF = 0).</summary>
    static abstract bool Logic<T>(T result)
        where T : unmanaged, IBinaryInteger<T>;
}
