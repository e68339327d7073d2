namespace Vmm;

/// <summary>Whether one CPU profile can stand in for another.</summary>
internal static class ProfileCheck
{
    /// <exception cref="SavedStateException">It cannot; names the leaf or property.</exception>
    public static void Check(CpuProfile saved, CpuProfile here, bool allowSuperset)
    {
        Same("physical address width", (ulong)saved.PhysicalAddressBits, (ulong)here.PhysicalAddressBits);
        Same("TSC frequency", saved.TimeStampCounterFrequency, here.TimeStampCounterFrequency);
        Same("APIC timer frequency", saved.ApicTimerFrequency, here.ApicTimerFrequency);
        if ((saved.Xcr0Mask & ~here.Xcr0Mask) != 0)
            throw new SavedStateException($"The saved guest may use the XCR0 bits 0x{saved.Xcr0Mask:X}; this partition has 0x{here.Xcr0Mask:X}.");
        if (saved.Xcr0Mask != here.Xcr0Mask && !allowSuperset)
            throw More("XCR0 bits", saved.Xcr0Mask, here.Xcr0Mask);
        foreach (CpuidLeaf leaf in saved.Leaves)
            Check(leaf, here, allowSuperset);
        if (allowSuperset)
            return;
        foreach (CpuidLeaf leaf in here.Leaves)
        {
            if (saved.Find(leaf.Leaf, leaf.Subleaf ?? 0) is null && leaf.Value != default)
                throw new SavedStateException($"This partition shows the CPUID leaf {Name(leaf)}, which the saved guest did not see. AllowSupersetCpuid admits that.");
        }
    }

    private static void Check(CpuidLeaf saved, CpuProfile here, bool allowSuperset)
    {
        CpuidResult found = here.Find(saved.Leaf, saved.Subleaf ?? 0)?.Value ?? default;
        bool isName = saved.Leaf is >= 0x8000_0002 and <= 0x8000_0004;
        if (found == saved.Value || (isName && allowSuperset))
            return;
        if (!allowSuperset || !IsFeatureLeaf(saved))
        {
            bool isLeafMissing = here.Find(saved.Leaf, saved.Subleaf ?? 0) is null;
            throw new SavedStateException(isLeafMissing
                ? $"The saved guest saw the CPUID leaf {Name(saved)}, which this partition does not show."
                : $"The CPUID leaf {Name(saved)} is {Print(saved.Value)} for the saved guest and {Print(found)} here.");
        }
        (uint eax, uint ebx, uint ecx, uint edx) = Features(saved);
        Covers("EAX", saved, saved.Value.Eax, found.Eax, eax);
        Covers("EBX", saved, saved.Value.Ebx, found.Ebx, ebx);
        Covers("ECX", saved, saved.Value.Ecx, found.Ecx, ecx);
        Covers("EDX", saved, saved.Value.Edx, found.Edx, edx);
    }

    // Leaves whose registers are sets of features (SDM Vol. 2A, CPUID); the others are numbers and texts, of which there is no more or less.
    private static bool IsFeatureLeaf(CpuidLeaf leaf) => leaf.Leaf is 0 or 1 or 6 or 7 or 0xD or 0x8000_0000 or 0x8000_0001 or 0x8000_0007 or 0x8000_0008;

    // Which bits of each register are features; the rest is not compared where more is allowed (signatures, sizes, highest leaves).
    private static (uint Eax, uint Ebx, uint Ecx, uint Edx) Features(CpuidLeaf leaf) => leaf.Leaf switch
    {
        0 or 0x8000_0000 => (0, 0, 0, 0),
        1 or 0x8000_0001 => (0, 0, uint.MaxValue, uint.MaxValue),
        7 => (leaf.Subleaf is null or 0 ? 0 : uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue),
        0xD => (leaf.Subleaf is 0 or 1 ? uint.MaxValue : 0, 0, 0, 0),
        0x8000_0008 => (0, uint.MaxValue, 0, 0),
        _ => (uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue),
    };

    private static void Covers(string register, CpuidLeaf leaf, uint saved, uint here, uint features)
    {
        uint missing = saved & ~here & features;
        if (missing != 0)
            throw new SavedStateException($"The saved guest saw features that this partition lacks: CPUID leaf {Name(leaf)}, {register} bits 0x{missing:X}.");
    }

    private static void Same(string what, ulong saved, ulong here)
    {
        if (saved != here)
            throw new SavedStateException($"The {what} is {saved} for the saved guest and {here} in this partition.");
    }

    private static SavedStateException More(string what, ulong saved, ulong here) =>
        new($"This partition shows more {what} (0x{here:X}) than the saved guest saw (0x{saved:X}). AllowSupersetCpuid admits that.");

    private static string Name(CpuidLeaf leaf) => leaf.Subleaf is { } subleaf ? $"0x{leaf.Leaf:X}.{subleaf}" : $"0x{leaf.Leaf:X}";

    private static string Print(CpuidResult value) => $"{value.Eax:X8}:{value.Ebx:X8}:{value.Ecx:X8}:{value.Edx:X8}";
}
