namespace Vmm.X86.Execution;

/// <summary>Bits of DR6 and DR7 (SDM Vol. 3B 18.2).</summary>
public static class DebugBits
{
    /// <summary>DR6 bits that always read as one.</summary>
    public const ulong StatusFixed = 0xFFFF_0FF0;

    /// <summary>DR7 bit that always reads as one.</summary>
    public const ulong ControlFixed = 0x400;

    /// <summary>DR6.B0 to B3: breakpoints whose conditions were met.</summary>
    public const uint StatusBreakpoints = 15;

    /// <summary>DR6.BD: the next instruction touches a debug register.</summary>
    public const uint StatusDebugRegister = 0x2000;

    /// <summary>DR6.BS: single step.</summary>
    public const uint StatusSingleStep = 0x4000;

    /// <summary>DR6.BT: a switch to a task with its trap flag set.</summary>
    public const uint StatusTask = 0x8000;

    /// <summary>DR7: the local and global enables of all breakpoints.</summary>
    public const uint ControlEnables = 0xFF;

    /// <summary>DR7.GD: accesses to debug registers trap.</summary>
    public const uint ControlGeneralDetect = 0x2000;

    /// <summary>DR6 bits that software may set.</summary>
    public const ulong StatusWritable = 0xE00F;

    /// <summary>DR7 bits that software may set.</summary>
    public const ulong ControlWritable = 0xFFFF_23FF;
}
