namespace Vmm;

/// <summary>How strict restoring is.</summary>
public sealed record RestoreOptions
{
    /// <summary>
    /// Admit a target that shows more than the saved guest saw: more CPUID feature bits and leaves, more of XCR0, wider physical addresses.
    /// A guest that looks again may then find what it did not before.
    /// </summary>
    public bool AllowSupersetCpuid { get; init; }

    /// <summary>
    /// Admit a target whose time-stamp counter or APIC timer runs at another frequency. A guest that knows the old one then measures time
    /// wrongly.
    /// </summary>
    public bool AllowOtherClocks { get; init; }

    /// <summary>What happens to elements that this library does not know.</summary>
    public UnknownElementPolicy UnknownElements { get; init; }
}
