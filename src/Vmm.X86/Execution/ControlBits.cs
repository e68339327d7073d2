namespace Vmm.X86.Execution;

#pragma warning disable CS1591 // the names are the manual's (SDM Vol. 3A 2.5, 2.2.1)

/// <summary>Bits of CR0.</summary>
public static class Cr0Bits
{
    public const ulong ProtectionEnable = 1, MonitorCoprocessor = 2, Emulation = 4,
        TaskSwitched = 8, ExtensionType = 0x10, NumericError = 0x20,
        WriteProtect = 0x1_0000, AlignmentMask = 0x4_0000, NotWriteThrough = 0x2000_0000, CacheDisable = 0x4000_0000, Paging = 0x8000_0000;
}

/// <summary>Bits of CR4.</summary>
public static class Cr4Bits
{
    public const ulong Vme = 1, Pvi = 2, TimeStampDisable = 4, DebuggingExtensions = 8,
        PageSizeExtension = 0x10, PhysicalAddressExtension = 0x20,
        MachineCheck = 0x40, PageGlobal = 0x80, PerformanceCounter = 0x100,
            OsFxsr = 0x200, OsXmmExceptions = 0x400, Umip = 0x800, La57 = 0x1000,
        Vmxe = 0x2000, Smxe = 0x4000, FsGsBase = 0x1_0000, Pcid = 0x2_0000, OsXsave = 0x4_0000, Smep = 0x10_0000, Smap = 0x20_0000,
        ProtectionKeys = 0x40_0000;
}

/// <summary>Bits of EFER.</summary>
public static class EferBits
{
    public const ulong SyscallEnable = 1, LongModeEnable = 0x100, LongModeActive = 0x400, NoExecute = 0x800;
}
