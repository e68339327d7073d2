namespace Vmm.X86.Execution;

#pragma warning disable CS1591 // the names are the manual's (SDM Vol. 1 10.2.3)

/// <summary>Bits of MXCSR. An exception's mask is its flag shifted left by <see cref="MaskShift"/>.</summary>
public static class MxcsrBits
{
    public const uint InvalidOperation = 1, Denormal = 2, DivideByZero = 4, Overflow = 8, Underflow = 0x10, Precision = 0x20,
        DenormalsAreZeros = 0x40, OverflowMask = 0x400, UnderflowMask = 0x800, FlushToZero = 0x8000;

    /// <summary>The six exception flags, and the six masks.</summary>
    public const uint Flags = 0x3F, Masks = 0x1F80;

    public const int MaskShift = 7;

    /// <summary>Rounding control: nearest (even), down, up, toward zero.</summary>
    public const uint Rounding = 0x6000, RoundNearest = 0, RoundDown = 0x2000, RoundUp = 0x4000, RoundTowardZero = 0x6000;

    /// <summary>Bits that software may set: what FXSAVE stores as MXCSR_MASK.</summary>
    public const uint Writable = 0xFFFF;

    /// <summary>Value after reset.</summary>
    public const uint Reset = 0x1F80;
}
