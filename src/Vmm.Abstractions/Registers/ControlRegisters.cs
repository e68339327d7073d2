namespace Vmm;

#pragma warning disable CS1591 // the names are the architecture's

/// <summary>Control registers, EFER and the APIC base.</summary>
public record struct ControlRegisters
{
    public ulong Cr0, Cr2, Cr3, Cr4, Cr8, Xcr0, Efer, ApicBase;
}

/// <summary>Debug registers.</summary>
public record struct DebugRegisters
{
    public ulong Dr0, Dr1, Dr2, Dr3, Dr6, Dr7;
}
