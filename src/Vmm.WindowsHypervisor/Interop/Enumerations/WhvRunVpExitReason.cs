namespace Vmm.WindowsHypervisor.Interop;

/// <summary>Why a virtual processor stopped.</summary>
internal enum WhvRunVpExitReason : uint
{
    None = 0,
    MemoryAccess = 1,
    X64IoPortAccess = 2,
    UnrecoverableException = 4,
    InvalidVpRegisterValue = 5,
    UnsupportedFeature = 6,
    X64InterruptWindow = 7,
    X64Halt = 8,
    X64ApicEoi = 9,
    SynicSintDeliverable = 0xA,
    X64MsrAccess = 0x1000,
    X64Cpuid = 0x1001,
    Exception = 0x1002,
    X64Rdtsc = 0x1003,
    X64ApicSmiTrap = 0x1004,
    Hypercall = 0x1005,
    X64ApicInitSipiTrap = 0x1006,
    X64ApicWriteTrap = 0x1007,
    Canceled = 0x2001,
}
