namespace Vmm.X86.Execution;

/// <summary>Bits of CR0 (SDM Vol. 3A 2.5).</summary>
public static class Cr0Bits
{
    /// <summary>PE: protected mode.</summary>
    public const ulong ProtectionEnable = 1;

    /// <summary>MP: WAIT heeds TS.</summary>
    public const ulong MonitorCoprocessor = 2;

    /// <summary>EM: there is no floating-point unit.</summary>
    public const ulong Emulation = 4;

    /// <summary>TS: floating-point state may be another task's.</summary>
    public const ulong TaskSwitched = 8;

    /// <summary>ET: always set.</summary>
    public const ulong ExtensionType = 0x10;

    /// <summary>NE: x87 errors raise #MF.</summary>
    public const ulong NumericError = 0x20;

    /// <summary>WP: supervisors heed read-only pages.</summary>
    public const ulong WriteProtect = 0x1_0000;

    /// <summary>AM: RFLAGS.AC is heeded.</summary>
    public const ulong AlignmentMask = 0x4_0000;

    /// <summary>NW: not write-through.</summary>
    public const ulong NotWriteThrough = 0x2000_0000;

    /// <summary>CD: caches are off.</summary>
    public const ulong CacheDisable = 0x4000_0000;

    /// <summary>PG: paging.</summary>
    public const ulong Paging = 0x8000_0000;
}

/// <summary>Bits of CR4 (SDM Vol. 3A 2.5).</summary>
public static class Cr4Bits
{
    /// <summary>VME: virtual-8086 extensions.</summary>
    public const ulong Vme = 1;

    /// <summary>PVI: virtual interrupts in protected mode.</summary>
    public const ulong Pvi = 2;

    /// <summary>TSD: only level 0 reads the time stamp.</summary>
    public const ulong TimeStampDisable = 4;

    /// <summary>DE: DR4 and DR5 are gone, I/O breakpoints are there.</summary>
    public const ulong DebuggingExtensions = 8;

    /// <summary>PSE: 4 MiB pages.</summary>
    public const ulong PageSizeExtension = 0x10;

    /// <summary>PAE: entries of 64 bits.</summary>
    public const ulong PhysicalAddressExtension = 0x20;

    /// <summary>MCE: #MC is raised.</summary>
    public const ulong MachineCheck = 0x40;

    /// <summary>PGE: global pages outlive a change of CR3.</summary>
    public const ulong PageGlobal = 0x80;

    /// <summary>PCE: every level reads performance counters.</summary>
    public const ulong PerformanceCounter = 0x100;

    /// <summary>OSFXSR: the system saves SSE state.</summary>
    public const ulong OsFxsr = 0x200;

    /// <summary>OSXMMEXCPT: the system handles #XM.</summary>
    public const ulong OsXmmExceptions = 0x400;

    /// <summary>UMIP: SGDT and its like are for level 0.</summary>
    public const ulong Umip = 0x800;

    /// <summary>LA57: five levels of paging.</summary>
    public const ulong La57 = 0x1000;

    /// <summary>VMXE: VMX is on.</summary>
    public const ulong Vmxe = 0x2000;

    /// <summary>SMXE: SMX is on.</summary>
    public const ulong Smxe = 0x4000;

    /// <summary>FSGSBASE: RDFSBASE and its like are there.</summary>
    public const ulong FsGsBase = 0x1_0000;

    /// <summary>PCIDE: process-context identifiers.</summary>
    public const ulong Pcid = 0x2_0000;

    /// <summary>OSXSAVE: the system uses XSAVE.</summary>
    public const ulong OsXsave = 0x4_0000;

    /// <summary>SMEP: supervisors run no user pages.</summary>
    public const ulong Smep = 0x10_0000;

    /// <summary>SMAP: supervisors touch user pages only with AC set.</summary>
    public const ulong Smap = 0x20_0000;

    /// <summary>PKE: protection keys of user pages.</summary>
    public const ulong ProtectionKeys = 0x40_0000;
}

/// <summary>Bits of EFER (SDM Vol. 3A 2.2.1).</summary>
public static class EferBits
{
    /// <summary>SCE: SYSCALL is there.</summary>
    public const ulong SyscallEnable = 1;

    /// <summary>LME: paging leads to IA-32e mode.</summary>
    public const ulong LongModeEnable = 0x100;

    /// <summary>LMA: IA-32e mode.</summary>
    public const ulong LongModeActive = 0x400;

    /// <summary>NXE: pages can refuse execution.</summary>
    public const ulong NoExecute = 0x800;
}
