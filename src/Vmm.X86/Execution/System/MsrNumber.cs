namespace Vmm.X86.Execution;

#pragma warning disable CS1591 // the names are the manual's (SDM Vol. 4)

/// <summary>Numbers of the model-specific registers that the processor core itself keeps.</summary>
public static class MsrNumber
{
    public const uint TimeStampCounter = 0x10, PlatformId = 0x17, ApicBase = 0x1B, TscAdjust = 0x3B, BiosSignature = 0x8B,
        PlatformInformation = 0xCE,
        MtrrCapability = 0xFE, SysenterCs = 0x174, SysenterEsp = 0x175, SysenterEip = 0x176, MachineCheckCapability = 0x179,
        MachineCheckStatus = 0x17A,
        MiscEnable = 0x1A0, DebugControl = 0x1D9, MtrrVariableFirst = 0x200, MtrrVariableLast = 0x20F, MtrrFixed64K = 0x250,
        MtrrFixed16KLow = 0x258,
        MtrrFixed16KHigh = 0x259, MtrrFixed4KFirst = 0x268, MtrrFixed4KLast = 0x26F, Pat = 0x277, MtrrDefaultType = 0x2FF,
        TscDeadline = 0x6E0,
        X2ApicFirst = 0x800, X2ApicLast = 0x8FF, Xss = 0xDA0, Efer = 0xC000_0080, Star = 0xC000_0081, Lstar = 0xC000_0082,
        Cstar = 0xC000_0083,
        SyscallMask = 0xC000_0084, FsBase = 0xC000_0100, GsBase = 0xC000_0101, KernelGsBase = 0xC000_0102, TscAux = 0xC000_0103;
}
