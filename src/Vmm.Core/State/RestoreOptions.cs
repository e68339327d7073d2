namespace Vmm;

/// <summary>How strict restoring is.</summary>
public sealed record RestoreOptions
{
    /// <summary>
    /// Admit a target whose CPUID shows more than the saved guest saw: more feature bits, more leaves. A guest that looks again may then find what it did not before.
    /// </summary>
    public bool AllowSupersetCpuid { get; init; }

    /// <summary>What happens to elements that this library does not know.</summary>
    public UnknownElementPolicy UnknownElements { get; init; }
}
