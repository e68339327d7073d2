namespace Vmm.X86.FloatingPoint;

/// <summary>
/// The x87 exception flags, at their places in the status word; the masks have the same places in the control word (SDM Vol. 1 8.1.3).
/// </summary>
[Flags]
public enum X87Exceptions : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Invalid operation (#IA, and #IS together with <see cref="StackFault"/>).</summary>
    Invalid = 1 << 0,

    /// <summary>Denormal operand (#D).</summary>
    Denormal = 1 << 1,

    /// <summary>Division by zero (#Z).</summary>
    ZeroDivide = 1 << 2,

    /// <summary>Numeric overflow (#O).</summary>
    Overflow = 1 << 3,

    /// <summary>Numeric underflow (#U).</summary>
    Underflow = 1 << 4,

    /// <summary>Inexact result (#P).</summary>
    Precision = 1 << 5,

    /// <summary>The invalid operation was a register stack overflow (C1 set) or underflow (C1 clear).</summary>
    StackFault = 1 << 6,
}
