namespace Vmm.Kvm.Interop;

/// <summary>
/// Requests of /dev/kvm, of virtual machines and of virtual processors (linux/kvm.h; the encoding is that of asm-generic/ioctl.h).
/// </summary>
internal static class KvmIoctl
{
    public const uint GetApiVersion = 0xAE00, CreateVm = 0xAE01, GetMsrIndexList = 0xC004_AE02, CheckExtension = 0xAE03,
        GetVcpuMmapSize = 0xAE04,
        GetSupportedCpuid = 0xC008_AE05;

    public const uint CreateVcpu = 0xAE41, GetDirtyLog = 0x4010_AE42, SetUserMemoryRegion = 0x4020_AE46, SetTssAddress = 0xAE47,
        SetIdentityMapAddress = 0x4008_AE48, SetGsiRouting = 0x4008_AE6A, IoEventFile = 0x4040_AE79,
        EnableCapability = 0x4068_AEA3, SignalMsi = 0x4020_AEA5, SetMsrFilter = 0x4188_AEC6;

    public const uint Run = 0xAE80, GetRegisters = 0x8090_AE81, SetRegisters = 0x4090_AE82, GetSpecialRegisters = 0x8138_AE83,
        SetSpecialRegisters = 0x4138_AE84, Interrupt = 0x4004_AE86, GetMsrs = 0xC008_AE88, SetMsrs = 0x4008_AE89,
        GetLocalApic = 0x8400_AE8E,
        SetLocalApic = 0x4400_AE8F, SetCpuid = 0x4008_AE90, GetCpuid = 0xC008_AE91, GetMpState = 0x8004_AE98, SetMpState = 0x4004_AE99,
        Nmi = 0xAE9A, SetGuestDebug = 0x4048_AE9B, GetVcpuEvents = 0x8040_AE9F, SetVcpuEvents = 0x4040_AEA0,
        GetDebugRegisters = 0x8080_AEA1, SetDebugRegisters = 0x4080_AEA2,
        SetTscKilohertz = 0xAEA2, GetTscKilohertz = 0xAEA3, GetXsave = 0x9000_AEA4, SetXsave = 0x5000_AEA5, GetXcrs = 0x8188_AEA6,
        SetXcrs = 0x4188_AEA7,
        SetDeviceAttribute = 0x4018_AEE1, GetDeviceAttribute = 0x4018_AEE2, HasDeviceAttribute = 0x4018_AEE3;
}
