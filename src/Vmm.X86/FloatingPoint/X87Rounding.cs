namespace Vmm.X86.FloatingPoint;

/// <summary>The rounding-control field of the control word, bits 11:10 (SDM Vol. 1 4.8.4).</summary>
public enum X87Rounding
{
    /// <summary>To the nearest, ties to even.</summary>
    Nearest = 0,

    /// <summary>Towards minus infinity.</summary>
    Down = 1,

    /// <summary>Towards plus infinity.</summary>
    Up = 2,

    /// <summary>Towards zero.</summary>
    Truncate = 3,
}
