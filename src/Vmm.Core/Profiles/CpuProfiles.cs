namespace Vmm;

/// <summary>The processor models that this project defines. Their leaves are listed one by one in docs/profiles.md.</summary>
public static class CpuProfiles
{
    /// <summary>
    /// x86-64 baseline with CMPXCHG16B, NX, SYSCALL, LAHF in 64-bit mode, x2APIC and the TSC deadline: portable to every host.
    /// </summary>
    public static CpuProfile V1 { get; } = Make("v1", "Vmm x86-64-v1 processor", ProcessorFeatures.V1);

    /// <summary>
    /// <see cref="V1"/> and psABI level 2 (SSE3 to SSE4.2, POPCNT), XSAVE for x87 and SSE, RDTSCP, FSGSBASE, SMEP, SMAP, UMIP, PCID and
    /// INVPCID.
    /// </summary>
    public static CpuProfile V2 { get; } = Make("v2", "Vmm x86-64-v2 processor", ProcessorFeatures.V2);

    /// <summary>
    /// <see cref="V2"/> and psABI level 3 (AVX, AVX2, BMI1, BMI2, FMA, F16C, LZCNT, MOVBE) with XSAVE of AVX state, AES and PCLMULQDQ.
    /// </summary>
    public static CpuProfile V3 { get; } = Make("v3", "Vmm x86-64-v3 processor", ProcessorFeatures.V3);

    /// <summary>All of them, the smallest first.</summary>
    public static IReadOnlyList<CpuProfile> All { get; } = [V1, V2, V3];

    /// <summary>Finds a profile.</summary>
    /// <param name="name">Its name, e.g. <c>v1</c>; case does not matter.</param>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public static CpuProfile ByName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        foreach (CpuProfile profile in All)
        {
            if (string.Equals(profile.Name, name, StringComparison.OrdinalIgnoreCase))
                return profile;
        }
        throw new ArgumentException($"No CPU profile is called '{name}'; there are {string.Join(", ", All.Select(profile => profile.Name))}.", nameof(name));
    }

    private static CpuProfile Make(string name, string brand, ProcessorFeatures features)
    {
        const int AddressBits = 40;
        const ulong Hertz = 1_000_000_000;
        return new()
        {
            Name = name,
            Leaves = CpuidLeaves.Build(brand, features, AddressBits, Hertz, Hertz),
            Xcr0Mask = features.Xcr0,
            PhysicalAddressBits = AddressBits,
            TimeStampCounterFrequency = Hertz,
            ApicTimerFrequency = Hertz,
        };
    }
}
