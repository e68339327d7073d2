using Vmm.Kvm.Interop;
using Vmm.X86;

namespace Vmm.Kvm;

/// <summary>Between CPU profiles, which are lists of CPUID leaves, and KVM's lists of entries.</summary>
internal static class KvmProcessorProfile
{
    private const uint FeatureLeaf = 1, StructuredLeaf = 7, TopologyLeaf = 0xB, StateLeaf = 0xD, ExtendedLeaf = 0x8000_0001,
        WidthLeaf = 0x8000_0008;
    private const uint OsXsave = 1 << 27, LocalApicBit = 1 << 9, DeadlineBit = 1 << 24, X2ApicAndDeadlineBits = (1U << 21) | DeadlineBit;

    // What KVM fills in or provides whatever its list says: OSXSAVE (27) and the bit for being virtual (31).
    private const uint AlwaysThere = (1U << 27) | (1U << 31);

    /// <summary>
    /// Names of the profiles whose features the host has, the smallest first. The first one needs no more than every such host has.
    /// </summary>
    public static IReadOnlyList<string> Provided(KvmPlatform platform) =>
    [
        .. CpuProfiles.All.Where(profile => profile == CpuProfiles.V1 || Lacks(platform, profile).Count == 0).Select(profile => profile.Name),
    ];

    /// <summary>The features of a profile that the kernel does not support, as words.</summary>
    public static IReadOnlyList<string> Lacks(KvmPlatform platform, CpuProfile profile) =>
        Lacks(platform.Supported, platform.HasTscDeadline, profile);

    /// <summary>The same of what KVM_GET_SUPPORTED_CPUID lists, and whether there is the timer's deadline mode.</summary>
    public static IReadOnlyList<string> Lacks(IReadOnlyList<KvmCpuidEntry> supported, bool hasTscDeadline, CpuProfile profile)
    {
        uint alwaysThere = AlwaysThere | (hasTscDeadline ? DeadlineBit : 0);
        List<string> missing = [];
        foreach (CpuidLeaf leaf in profile.Leaves)
        {
            if (leaf.Leaf is not (FeatureLeaf or StructuredLeaf or ExtendedLeaf) && (leaf.Leaf != StateLeaf || leaf.Subleaf != 0))
                continue;
            KvmCpuidEntry have = Find(supported, leaf.Leaf, leaf.Subleaf ?? 0);
            if (leaf.Leaf == StateLeaf)
                Compare("EAX", leaf.Value.Eax, have.Eax);
            if (leaf.Leaf == StructuredLeaf)
                Compare("EBX", leaf.Value.Ebx, have.Ebx);
            if (leaf.Leaf == StateLeaf)
                continue;
            Compare("ECX", leaf.Value.Ecx, have.Ecx | (leaf.Leaf == FeatureLeaf ? alwaysThere : 0));
            Compare("EDX", leaf.Value.Edx, have.Edx);

            void Compare(string register, uint wanted, uint there)
            {
                if ((wanted & ~there) != 0)
                    missing.Add($"CPUID leaf 0x{leaf.Leaf:X} {register} bits 0x{wanted & ~there:X}");
            }
        }
        return missing;
    }

    /// <summary>
    /// The profile with what is the host's own: its clocks, unless they can be had as asked, and an address width that it has.
    /// </summary>
    public static CpuProfile Adapt(KvmPlatform platform, CpuProfile profile)
    {
        if (!platform.HasTscControl && platform.TscKilohertz != 0)
            profile = profile.WithClocks(platform.TscKilohertz * 1000UL, profile.ApicTimerFrequency);
        if (profile.PhysicalAddressBits <= platform.PhysicalAddressBits || profile.Find(WidthLeaf, 0) is not { } widths)
            return profile;
        CpuidResult value = widths.Value with { Eax = (widths.Value.Eax & ~0xFFU) | (uint)platform.PhysicalAddressBits };
        return profile.WithLeaf(widths with { Value = value }) with { PhysicalAddressBits = platform.PhysicalAddressBits };
    }

    /// <summary>What the guest's processors show, but for what depends on the processor.</summary>
    public static CpuidModel Model(CpuProfile profile, bool hasLocalApic)
    {
        uint hidden = hasLocalApic ? 0 : X2ApicAndDeadlineBits;
        return new CpuidModel(profile.Leaves.Select(leaf => new CpuidRow(
            leaf.Leaf, leaf.Subleaf, leaf.Value.Eax, leaf.Value.Ebx,
            leaf.Leaf == FeatureLeaf ? leaf.Value.Ecx & ~hidden : leaf.Value.Ecx, leaf.Value.Edx)));
    }

    /// <summary>A profile with what a kernel that was asked for it shows instead: one that cannot hide features, say.</summary>
    public static CpuProfile Shown(CpuProfile requested, KvmCpuidEntry[] entries, bool hasLocalApic)
    {
        CpuProfile shown = requested;
        foreach (KvmCpuidEntry entry in entries)
        {
            uint? subleaf = (entry.Flags & KvmCpuidEntry.SignificantIndex) != 0 ? entry.Index : null;
            CpuidLeaf? wanted = requested.Find(entry.Function, entry.Index);
            CpuidResult value = Neutral(in entry, wanted?.Value ?? default, hasLocalApic);
            if (value != (wanted?.Value ?? default))
                shown = shown.WithLeaf(new CpuidLeaf(entry.Function, wanted is null ? subleaf : wanted.Subleaf, value));
        }
        return shown == requested ? requested : shown with { Xcr0Mask = Model(shown, hasLocalApic).SupportedXcr0 };
    }

    // Profiles hold zero where processors fill in, and what a partition without local APICs hides is still theirs.
    private static CpuidResult Neutral(in KvmCpuidEntry entry, CpuidResult wanted, bool hasLocalApic)
    {
        CpuidResult value = new(entry.Eax, entry.Ebx, entry.Ecx, entry.Edx);
        switch (entry.Function)
        {
            case FeatureLeaf:
                uint hidden = hasLocalApic ? 0 : X2ApicAndDeadlineBits;
                return value with
                {
                    Ebx = (value.Ebx & 0x00FF_FFFF) | (wanted.Ebx & 0xFF00_0000),
                    Ecx = (value.Ecx & ~(OsXsave | hidden)) | (wanted.Ecx & hidden),
                    Edx = (value.Edx & ~LocalApicBit) | (wanted.Edx & LocalApicBit),
                };
            case TopologyLeaf:
                return value with { Edx = 0 };
            case StateLeaf when entry.Index <= 1:
                return value with { Ebx = 0 };
            default:
                return value;
        }
    }

    /// <summary>KVM's entries for one processor.</summary>
    public static KvmCpuidEntry[] Entries(CpuProfile profile, bool hasLocalApic, uint apicId)
    {
        IReadOnlyList<CpuidRow> rows = Model(profile, hasLocalApic).Rows;
        KvmCpuidEntry[] entries = new KvmCpuidEntry[rows.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            CpuidRow row = rows[i];
            entries[i] = new KvmCpuidEntry
            {
                Function = row.Leaf, Index = row.Subleaf ?? 0, Flags = row.Subleaf is null ? 0 : KvmCpuidEntry.SignificantIndex,
                Eax = row.Eax, Ebx = row.Ebx, Ecx = row.Ecx, Edx = row.Edx,
            };
            switch (row.Leaf)
            {
                case FeatureLeaf:
                    entries[i].Ebx = (row.Ebx & 0x00FF_FFFF) | (apicId << 24);
                    if (!hasLocalApic)
                        entries[i].Edx &= ~LocalApicBit;
                    break;
                case TopologyLeaf:
                    entries[i].Edx = apicId;
                    break;
            }
        }
        return entries;
    }

    private static KvmCpuidEntry Find(IReadOnlyList<KvmCpuidEntry> entries, uint leaf, uint subleaf)
    {
        foreach (KvmCpuidEntry entry in entries)
        {
            if (entry.Function == leaf && ((entry.Flags & KvmCpuidEntry.SignificantIndex) == 0 || entry.Index == subleaf))
                return entry;
        }
        return default;
    }
}
