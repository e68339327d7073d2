namespace Vmm;

/// <summary>Control registers, EFER and the APIC base.</summary>
public record struct ControlRegisters
{
    /// <summary>CR0: mode and protection (SDM Vol. 3A 2.5).</summary>
    public ulong Cr0;

    /// <summary>CR2: linear address of the last page fault.</summary>
    public ulong Cr2;

    /// <summary>CR3: address of the paging structures.</summary>
    public ulong Cr3;

    /// <summary>CR4: extensions (SDM Vol. 3A 2.5).</summary>
    public ulong Cr4;

    /// <summary>CR8: task priority.</summary>
    public ulong Cr8;

    /// <summary>XCR0: state that XSAVE manages.</summary>
    public ulong Xcr0;

    /// <summary>EFER: extended features (SDM Vol. 3A 2.2.1).</summary>
    public ulong Efer;

    /// <summary>IA32_APIC_BASE: address and mode of the local APIC.</summary>
    public ulong ApicBase;
}

/// <summary>Debug registers.</summary>
public record struct DebugRegisters
{
    /// <summary>DR0: linear address of breakpoint 0.</summary>
    public ulong Dr0;

    /// <summary>DR1: linear address of breakpoint 1.</summary>
    public ulong Dr1;

    /// <summary>DR2: linear address of breakpoint 2.</summary>
    public ulong Dr2;

    /// <summary>DR3: linear address of breakpoint 3.</summary>
    public ulong Dr3;

    /// <summary>DR6: debug status.</summary>
    public ulong Dr6;

    /// <summary>DR7: debug control.</summary>
    public ulong Dr7;
}
