namespace Vmm;

/// <summary>Format of a partition's nested page tables.</summary>
public enum SlatFormat
{
    /// <summary>A flat map without tables; only for measuring what tables cost.</summary>
    None,

    /// <summary>Intel extended page tables (SDM Vol. 3C 29.3).</summary>
    Ept,

    /// <summary>AMD nested page tables (APM Vol. 2 15.25).</summary>
    Npt,
}

/// <summary>The local APIC in the backend.</summary>
public enum LocalApicMode
{
    /// <summary>None: HLT exits, the client injects interrupts.</summary>
    None,

    /// <summary>
    /// One for each processor, in xAPIC mode at reset (SDM Vol. 3A 11). The guest may switch it to x2APIC where the profile shows that.
    /// </summary>
    XApic,

    /// <summary>One for each processor, in x2APIC mode at reset.</summary>
    X2Apic,
}
