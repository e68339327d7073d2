namespace Vmm.X86.Execution;

#pragma warning disable CS1591 // the names are the manual's (SDM Vol. 3B 18.2)

/// <summary>Bits of DR6 and DR7.</summary>
public static class DebugBits
{
    /// <summary>DR6 bits that always read as one.</summary>
    public const ulong StatusFixed = 0xFFFF_0FF0;

    /// <summary>DR7 bit that always reads as one.</summary>
    public const ulong ControlFixed = 0x400;

    public const uint StatusBreakpoints = 15, StatusDebugRegister = 0x2000, StatusSingleStep = 0x4000, StatusTask = 0x8000;

    public const uint ControlEnables = 0xFF, ControlGeneralDetect = 0x2000;

    /// <summary>DR6 bits that software may set.</summary>
    public const ulong StatusWritable = 0xE00F;

    /// <summary>DR7 bits that software may set.</summary>
    public const ulong ControlWritable = 0xFFFF_23FF;
}
