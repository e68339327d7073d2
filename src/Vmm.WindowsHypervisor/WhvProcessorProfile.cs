using Vmm.WindowsHypervisor.Interop;

namespace Vmm.WindowsHypervisor;

/// <summary>Between CPU profiles, which are lists of CPUID leaves, and the platform's banks of processor features.</summary>
internal static class WhvProcessorProfile
{
    private enum Output
    {
        Eax,
        Ebx,
        Ecx,
        Edx,
    }

    // Features that the platform switches and profiles show; the others of the platform are switched off where a profile knows none of
    // them.
    private static readonly (Action<Banks> Set, uint Leaf, uint Subleaf, Output Output, int Bit)[] s_features =
    [
        (b => b.First.Sse3Support = true, 1, 0, Output.Ecx, 0),
        (b => b.First.PclmulqdqSupport = true, 1, 0, Output.Ecx, 1),
        (b => b.First.Ssse3Support = true, 1, 0, Output.Ecx, 9),
        (b => b.First.Cmpxchg16bSupport = true, 1, 0, Output.Ecx, 13),
        (b => b.First.PcidSupport = true, 1, 0, Output.Ecx, 17),
        (b => b.First.Sse4_1Support = true, 1, 0, Output.Ecx, 19),
        (b => b.First.Sse4_2Support = true, 1, 0, Output.Ecx, 20),
        (b => b.First.MovbeSupport = true, 1, 0, Output.Ecx, 22),
        (b => b.First.PopCntSupport = true, 1, 0, Output.Ecx, 23),
        (b => b.First.AesSupport = true, 1, 0, Output.Ecx, 25),
        (b => b.First.F16CSupport = true, 1, 0, Output.Ecx, 29),
        (b => b.First.RdRandSupport = true, 1, 0, Output.Ecx, 30),
        (b => b.First.RdWrFsGsSupport = true, 7, 0, Output.Ebx, 0),
        (b => b.First.Bmi1Support = true, 7, 0, Output.Ebx, 3),
        (b => b.First.SmepSupport = true, 7, 0, Output.Ebx, 7),
        (b => b.First.Bmi2Support = true, 7, 0, Output.Ebx, 8),
        (b => b.First.InvpcidSupport = true, 7, 0, Output.Ebx, 10),
        (b => b.First.RdSeedSupport = true, 7, 0, Output.Ebx, 18),
        (b => b.First.AdxSupport = true, 7, 0, Output.Ebx, 19),
        (b => b.First.SmapSupport = true, 7, 0, Output.Ebx, 20),
        (b => b.First.UmipSupport = true, 7, 0, Output.Ecx, 2),
        (b => b.First.LahfSahfSupport = true, 0x8000_0001, 0, Output.Ecx, 0),
        (b => b.First.LzcntSupport = true, 0x8000_0001, 0, Output.Ecx, 5),
        (b => b.First.Page1GbSupport = true, 0x8000_0001, 0, Output.Edx, 26),
        (b => b.First.RdtscpSupport = true, 0x8000_0001, 0, Output.Edx, 27),
        (b => b.Xsave.XsaveSupport = true, 1, 0, Output.Ecx, 26),
        (b => b.Xsave.AvxSupport = true, 1, 0, Output.Ecx, 28),
        (b => b.Xsave.FmaSupport = true, 1, 0, Output.Ecx, 12),
        (b => b.Xsave.Avx2Support = true, 7, 0, Output.Ebx, 5),
        (b => b.Xsave.XsaveoptSupport = true, 0xD, 1, Output.Eax, 0),
        (b => b.Xsave.XsaveCompSupport = true, 0xD, 1, Output.Eax, 1),
    ];

    /// <summary>Names of the profiles that the host can provide, the smallest first.</summary>
    public static IReadOnlyList<string> Provided(WhvPlatform platform)
    {
        // Platforms that tell no features run on processors that have the first profile at least.
        if (platform.ProcessorFeatures.Bank0.AsUInt64 == 0)
            return [CpuProfiles.V1.Name];
        return [.. CpuProfiles.All.Where(profile => IsProvided(platform, profile)).Select(profile => profile.Name)];
    }

    /// <summary>The banks to set so that a guest gets a profile's features and no others that can be switched.</summary>
    public static (WhvProcessorFeaturesBanks Banks, ulong Xsave) Select(WhvPlatform platform, CpuProfile profile)
    {
        Banks known = new(), wanted = Wanted(profile);
        foreach ((Action<Banks> set, _, _, _, _) in s_features)
            set(known);
        WhvProcessorFeaturesBanks banks = platform.ProcessorFeatures;
        banks.Bank0.AsUInt64 &= ~known.First.AsUInt64 | wanted.First.AsUInt64;
        WhvProcessorXsaveFeatures xsave = new() { AsUInt64 = platform.XsaveFeatures & wanted.Xsave.AsUInt64 };
        // What cannot be without states of XSAVE that no profile has, or this one has not.
        banks.Bank1.CetSsSupport = banks.Bank1.CetIbtSupport = false;
        banks.Bank0.XopSupport &= xsave.AvxSupport;
        banks.Bank0.Fma4Support &= xsave.AvxSupport;
        return (banks, xsave.AsUInt64);
    }

    /// <summary>The features, in the platform's banks, that profiles of some names show.</summary>
    public static (ulong Bank, ulong Xsave) Offered(IEnumerable<string> profiles)
    {
        ulong bank = 0, xsave = 0;
        foreach (string name in profiles)
        {
            Banks wanted = Wanted(CpuProfiles.ByName(name));
            bank |= wanted.First.AsUInt64;
            xsave |= wanted.Xsave.AsUInt64;
        }
        return (bank, xsave);
    }

    /// <summary>The largest of some profiles whose features are all in the given banks; null where there is none.</summary>
    public static CpuProfile? Largest(IEnumerable<string> profiles, ulong bank, ulong xsave) => profiles.Select(CpuProfiles.ByName).LastOrDefault(profile =>
    {
        Banks wanted = Wanted(profile);
        return (wanted.First.AsUInt64 & ~bank) == 0 && (wanted.Xsave.AsUInt64 & ~xsave) == 0;
    });

    private static bool IsProvided(WhvPlatform platform, CpuProfile profile)
    {
        Banks wanted = Wanted(profile);
        return (wanted.First.AsUInt64 & ~platform.ProcessorFeatures.Bank0.AsUInt64) == 0 && (wanted.Xsave.AsUInt64 & ~platform.XsaveFeatures) == 0;
    }

    private static Banks Wanted(CpuProfile profile)
    {
        Banks wanted = new();
        foreach ((Action<Banks> set, uint leaf, uint subleaf, Output output, int bit) in s_features)
        {
            if (Shows(profile, leaf, subleaf, output, bit))
                set(wanted);
        }
        return wanted;
    }

    private static bool Shows(CpuProfile profile, uint leaf, uint subleaf, Output output, int bit)
    {
        CpuidResult value = profile.Find(leaf, subleaf)?.Value ?? default;
        uint word = output switch { Output.Eax => value.Eax, Output.Ebx => value.Ebx, Output.Ecx => value.Ecx, _ => value.Edx };
        return (word >> bit & 1) != 0;
    }

    private sealed class Banks
    {
        public WhvX64ProcessorFeatures First;
        public WhvProcessorXsaveFeatures Xsave;
    }
}
