namespace Vmm.X86.Execution;

/// <summary>Bits of MXCSR (SDM Vol. 1 10.2.3). An exception's mask is its flag shifted left by <see cref="MaskShift"/>.</summary>
public static class MxcsrBits
{
    /// <summary>IE: invalid operation.</summary>
    public const uint InvalidOperation = 1;

    /// <summary>DE: a denormal operand.</summary>
    public const uint Denormal = 2;

    /// <summary>ZE: division of a finite number by zero.</summary>
    public const uint DivideByZero = 4;

    /// <summary>OE: overflow.</summary>
    public const uint Overflow = 8;

    /// <summary>UE: underflow.</summary>
    public const uint Underflow = 0x10;

    /// <summary>PE: the result is inexact.</summary>
    public const uint Precision = 0x20;

    /// <summary>DAZ: denormal operands count as zeros.</summary>
    public const uint DenormalsAreZeros = 0x40;

    /// <summary>OM: overflow raises no exception.</summary>
    public const uint OverflowMask = 0x400;

    /// <summary>UM: underflow raises no exception.</summary>
    public const uint UnderflowMask = 0x800;

    /// <summary>FTZ: a masked underflow gives zero.</summary>
    public const uint FlushToZero = 0x8000;

    /// <summary>The six exception flags.</summary>
    public const uint Flags = 0x3F;

    /// <summary>The six exception masks.</summary>
    public const uint Masks = 0x1F80;

    /// <summary>Bits from an exception's flag to its mask.</summary>
    public const int MaskShift = 7;

    /// <summary>RC: the bits of the rounding control.</summary>
    public const uint Rounding = 0x6000;

    /// <summary>Round to the nearest, to the even one of two.</summary>
    public const uint RoundNearest = 0;

    /// <summary>Round toward minus infinity.</summary>
    public const uint RoundDown = 0x2000;

    /// <summary>Round toward plus infinity.</summary>
    public const uint RoundUp = 0x4000;

    /// <summary>Round toward zero.</summary>
    public const uint RoundTowardZero = 0x6000;

    /// <summary>Bits that software may set: what FXSAVE stores as MXCSR_MASK.</summary>
    public const uint Writable = 0xFFFF;

    /// <summary>Value after reset.</summary>
    public const uint Reset = 0x1F80;
}
