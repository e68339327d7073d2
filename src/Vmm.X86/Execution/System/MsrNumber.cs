namespace Vmm.X86.Execution;

/// <summary>Numbers of the model-specific registers that the processor core itself keeps (SDM Vol. 4).</summary>
public static class MsrNumber
{
    /// <summary>IA32_TIME_STAMP_COUNTER.</summary>
    public const uint TimeStampCounter = 0x10;

    /// <summary>IA32_PLATFORM_ID.</summary>
    public const uint PlatformId = 0x17;

    /// <summary>IA32_APIC_BASE: address and mode of the local APIC.</summary>
    public const uint ApicBase = 0x1B;

    /// <summary>IA32_TSC_ADJUST: what software added to the time-stamp counter.</summary>
    public const uint TscAdjust = 0x3B;

    /// <summary>IA32_BIOS_SIGN_ID: revision of the microcode.</summary>
    public const uint BiosSignature = 0x8B;

    /// <summary>MSR_PLATFORM_INFO.</summary>
    public const uint PlatformInformation = 0xCE;

    /// <summary>IA32_MTRRCAP: memory-type range registers there are.</summary>
    public const uint MtrrCapability = 0xFE;

    /// <summary>IA32_SYSENTER_CS.</summary>
    public const uint SysenterCs = 0x174;

    /// <summary>IA32_SYSENTER_ESP.</summary>
    public const uint SysenterEsp = 0x175;

    /// <summary>IA32_SYSENTER_EIP.</summary>
    public const uint SysenterEip = 0x176;

    /// <summary>IA32_MCG_CAP.</summary>
    public const uint MachineCheckCapability = 0x179;

    /// <summary>IA32_MCG_STATUS.</summary>
    public const uint MachineCheckStatus = 0x17A;

    /// <summary>IA32_MISC_ENABLE.</summary>
    public const uint MiscEnable = 0x1A0;

    /// <summary>IA32_DEBUGCTL.</summary>
    public const uint DebugControl = 0x1D9;

    /// <summary>First of the variable memory-type ranges: base and mask alternate.</summary>
    public const uint MtrrVariableFirst = 0x200;

    /// <summary>Last of the variable memory-type ranges.</summary>
    public const uint MtrrVariableLast = 0x20F;

    /// <summary>IA32_MTRR_FIX64K_00000.</summary>
    public const uint MtrrFixed64K = 0x250;

    /// <summary>IA32_MTRR_FIX16K_80000.</summary>
    public const uint MtrrFixed16KLow = 0x258;

    /// <summary>IA32_MTRR_FIX16K_A0000.</summary>
    public const uint MtrrFixed16KHigh = 0x259;

    /// <summary>IA32_MTRR_FIX4K_C0000, the first of eight.</summary>
    public const uint MtrrFixed4KFirst = 0x268;

    /// <summary>IA32_MTRR_FIX4K_F8000.</summary>
    public const uint MtrrFixed4KLast = 0x26F;

    /// <summary>IA32_PAT: memory types by page attribute.</summary>
    public const uint Pat = 0x277;

    /// <summary>IA32_MTRR_DEF_TYPE.</summary>
    public const uint MtrrDefaultType = 0x2FF;

    /// <summary>IA32_TSC_DEADLINE: when the local APIC's timer is due.</summary>
    public const uint TscDeadline = 0x6E0;

    /// <summary>First register of the local APIC in x2APIC mode.</summary>
    public const uint X2ApicFirst = 0x800;

    /// <summary>Last of those.</summary>
    public const uint X2ApicLast = 0x8FF;

    /// <summary>IA32_XSS: supervisor state that XSAVES manages.</summary>
    public const uint Xss = 0xDA0;

    /// <summary>IA32_EFER.</summary>
    public const uint Efer = 0xC000_0080;

    /// <summary>IA32_STAR: selectors of SYSCALL and SYSRET.</summary>
    public const uint Star = 0xC000_0081;

    /// <summary>IA32_LSTAR: target of SYSCALL from 64-bit code.</summary>
    public const uint Lstar = 0xC000_0082;

    /// <summary>IA32_CSTAR: target of SYSCALL from compatibility mode.</summary>
    public const uint Cstar = 0xC000_0083;

    /// <summary>IA32_FMASK: flags that SYSCALL clears.</summary>
    public const uint SyscallMask = 0xC000_0084;

    /// <summary>IA32_FS_BASE.</summary>
    public const uint FsBase = 0xC000_0100;

    /// <summary>IA32_GS_BASE.</summary>
    public const uint GsBase = 0xC000_0101;

    /// <summary>IA32_KERNEL_GS_BASE: what SWAPGS exchanges.</summary>
    public const uint KernelGsBase = 0xC000_0102;

    /// <summary>IA32_TSC_AUX: what RDTSCP and RDPID give beside the time.</summary>
    public const uint TscAux = 0xC000_0103;
}
