namespace Vmm.Emulator.Interrupts;

/// <summary>Mode of a local APIC: bits 11 (EN) and 10 (EXTD) of IA32_APIC_BASE (SDM Vol. 3A 11.12.1).</summary>
internal enum ApicMode : byte
{
    /// <summary>Globally disabled: the processor behaves as one without a local APIC.</summary>
    Disabled,

    /// <summary>Registers in a page of memory.</summary>
    XApic,

    /// <summary>Registers as MSRs 800H to 83FH.</summary>
    X2Apic,
}
