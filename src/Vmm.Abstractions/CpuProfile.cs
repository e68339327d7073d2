namespace Vmm;

/// <summary>Four registers of one CPUID answer.</summary>
public readonly record struct CpuidResult(uint Eax, uint Ebx, uint Ecx, uint Edx);

/// <summary>One CPUID leaf of a profile.</summary>
/// <param name="Leaf">Value of EAX.</param>
/// <param name="Subleaf">Value of ECX; null for leaves that ignore it.</param>
/// <param name="Value">What the guest sees.</param>
public sealed record CpuidLeaf(uint Leaf, uint? Subleaf, CpuidResult Value);

/// <summary>A processor model: what a partition shows its guest, and so what a saved guest needs elsewhere.</summary>
public sealed record CpuProfile
{
    /// <summary>Name, e.g. <c>v1</c>.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// CPUID leaves. Processor-dependent fields (APIC id, OSXSAVE, the current XSAVE size) hold zero and are filled in per processor.
    /// </summary>
    public required IReadOnlyList<CpuidLeaf> Leaves { get; init; }

    /// <summary>Bits that XCR0 may hold (SDM Vol. 1 13.3); 0 where XSAVE is not shown.</summary>
    public ulong Xcr0Mask { get; init; }

    /// <summary>Guest-physical address width in bits, 36 to 52.</summary>
    public int PhysicalAddressBits { get; init; } = 40;

    /// <summary>TSC frequency in hertz.</summary>
    public ulong TimeStampCounterFrequency { get; init; } = 1_000_000_000;

    /// <summary>Input clock of the local APIC timer in hertz.</summary>
    public ulong ApicTimerFrequency { get; init; } = 1_000_000_000;

    /// <summary>Finds the entry that answers a leaf and subleaf, or null.</summary>
    public CpuidLeaf? Find(uint leaf, uint subleaf)
    {
        foreach (CpuidLeaf entry in Leaves)
        {
            if (entry.Leaf == leaf && (entry.Subleaf is null || entry.Subleaf == subleaf))
                return entry;
        }
        return null;
    }
}
