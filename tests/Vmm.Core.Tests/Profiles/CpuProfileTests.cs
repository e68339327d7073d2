using System.Globalization;
using System.Text;

namespace Vmm.Core.Tests.Profiles;

public sealed class CpuProfileTests
{
    // Bit positions copied from the manual's tables (SDM Vol. 2A, CPUID), apart from the code that builds the leaves.
    private static readonly Dictionary<string, (uint Leaf, uint Subleaf, char Register, int Bit)> Bits = new()
    {
        ["FPU"] = (1, 0, 'd', 0), ["VME"] = (1, 0, 'd', 1), ["DE"] = (1, 0, 'd', 2), ["PSE"] = (1, 0, 'd', 3), ["TSC"] = (1, 0, 'd', 4),
        ["MSR"] = (1, 0, 'd', 5), ["PAE"] = (1, 0, 'd', 6), ["MCE"] = (1, 0, 'd', 7), ["CX8"] = (1, 0, 'd', 8), ["APIC"] = (1, 0, 'd', 9),
        ["SEP"] = (1, 0, 'd', 11), ["MTRR"] = (1, 0, 'd', 12), ["PGE"] = (1, 0, 'd', 13), ["MCA"] = (1, 0, 'd', 14), ["CMOV"] = (1, 0, 'd', 15),
        ["PAT"] = (1, 0, 'd', 16), ["PSE36"] = (1, 0, 'd', 17), ["CLFSH"] = (1, 0, 'd', 19), ["MMX"] = (1, 0, 'd', 23), ["FXSR"] = (1, 0, 'd', 24),
        ["SSE"] = (1, 0, 'd', 25), ["SSE2"] = (1, 0, 'd', 26),
        ["SSE3"] = (1, 0, 'c', 0), ["SSSE3"] = (1, 0, 'c', 9), ["FMA"] = (1, 0, 'c', 12), ["CX16"] = (1, 0, 'c', 13), ["PCID"] = (1, 0, 'c', 17),
        ["SSE4.1"] = (1, 0, 'c', 19), ["SSE4.2"] = (1, 0, 'c', 20), ["x2APIC"] = (1, 0, 'c', 21), ["MOVBE"] = (1, 0, 'c', 22),
        ["POPCNT"] = (1, 0, 'c', 23), ["TSC-deadline"] = (1, 0, 'c', 24), ["XSAVE"] = (1, 0, 'c', 26), ["OSXSAVE"] = (1, 0, 'c', 27),
        ["PCLMULQDQ"] = (1, 0, 'c', 1), ["AES"] = (1, 0, 'c', 25), ["F16C"] = (1, 0, 'c', 29),
        ["AVX"] = (1, 0, 'c', 28), ["hypervisor"] = (1, 0, 'c', 31),
        ["FSGSBASE"] = (7, 0, 'b', 0), ["BMI1"] = (7, 0, 'b', 3), ["AVX2"] = (7, 0, 'b', 5), ["BMI2"] = (7, 0, 'b', 8), ["SMEP"] = (7, 0, 'b', 7), ["INVPCID"] = (7, 0, 'b', 10),
        ["SMAP"] = (7, 0, 'b', 20), ["UMIP"] = (7, 0, 'c', 2),
        ["LAHF64"] = (0x8000_0001, 0, 'c', 0), ["LZCNT"] = (0x8000_0001, 0, 'c', 5), ["SYSCALL"] = (0x8000_0001, 0, 'd', 11), ["NX"] = (0x8000_0001, 0, 'd', 20),
        ["RDTSCP"] = (0x8000_0001, 0, 'd', 27), ["LM"] = (0x8000_0001, 0, 'd', 29),
        ["ARAT"] = (6, 0, 'a', 2), ["invariant TSC"] = (0x8000_0007, 0, 'd', 8),
    };

    private static readonly string[] Baseline =
    [
        "FPU", "DE", "PSE", "TSC", "MSR", "PAE", "MCE", "CX8", "APIC", "SEP", "MTRR", "PGE", "MCA", "CMOV", "PAT", "PSE36", "CLFSH", "MMX", "FXSR", "SSE",
        "SSE2", "CX16", "x2APIC", "TSC-deadline", "hypervisor", "SYSCALL", "NX", "LM", "LAHF64", "ARAT", "invariant TSC",
    ];

    private static readonly string[] SecondLevel =
        ["SSE3", "SSSE3", "SSE4.1", "SSE4.2", "POPCNT", "XSAVE", "RDTSCP", "FSGSBASE", "SMEP", "SMAP", "UMIP", "PCID", "INVPCID"];

    private static readonly string[] ThirdLevel = ["AVX", "AVX2", "BMI1", "BMI2", "FMA", "F16C", "LZCNT", "MOVBE", "AES", "PCLMULQDQ"];

    [Fact]
    public void V1_shows_exactly_the_baseline() => Shown(CpuProfiles.V1).Should().BeEquivalentTo(Baseline);

    [Fact]
    public void V2_shows_exactly_the_second_level() => Shown(CpuProfiles.V2).Should().BeEquivalentTo(Baseline.Concat(SecondLevel));

    [Fact]
    public void V3_shows_exactly_the_third_level() =>
        Shown(CpuProfiles.V3).Should().BeEquivalentTo(Baseline.Concat(SecondLevel).Concat(ThirdLevel));

    [Fact]
    public void V3_describes_avx_state_as_the_manual_places_it()
    {
        CpuProfiles.V3.Xcr0Mask.Should().Be(7);
        CpuProfiles.V3.Find(0xD, 0)!.Value.Should().Be(new CpuidResult(7, 0, 832, 0));
        CpuProfiles.V3.Find(0xD, 2)!.Value.Should().Be(new CpuidResult(256, 576, 0, 0));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    [InlineData("v3")]
    public void Every_feature_bit_of_a_profile_has_a_name(string name)
    {
        CpuProfile profile = CpuProfiles.ByName(name);
        foreach ((uint leaf, char register) in new[] { (1U, 'c'), (1U, 'd'), (7U, 'b'), (7U, 'c'), (7U, 'd'), (0x8000_0001, 'c'), (0x8000_0001, 'd') })
        {
            uint named = Bits.Values.Where(bit => bit.Leaf == leaf && bit.Register == register).Aggregate(0U, (all, bit) => all | (1U << bit.Bit));
            (Register(profile.Find(leaf, 0)!.Value, register) & ~named).Should().Be(0U, $"leaf {leaf:X} register {register}");
        }
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    [InlineData("v3")]
    public void Page_and_data_agree(string name)
    {
        CpuProfile profile = CpuProfiles.ByName(name);
        Dictionary<(uint, uint?), CpuidResult> page = Page(name);
        page.Should().BeEquivalentTo(profile.Leaves.ToDictionary(leaf => (leaf.Leaf, leaf.Subleaf), leaf => leaf.Value));
    }

    [Theory]
    [InlineData("v1", "Vmm x86-64-v1 processor")]
    [InlineData("v2", "Vmm x86-64-v2 processor")]
    [InlineData("v3", "Vmm x86-64-v3 processor")]
    public void Strings_read_back(string name, string brand)
    {
        CpuProfile profile = CpuProfiles.ByName(name);
        CpuidResult vendor = profile.Find(0, 0)!.Value;
        Text(vendor.Ebx, vendor.Edx, vendor.Ecx).Should().Be("GenuineIntel");
        CpuidResult hypervisor = profile.Find(0x4000_0000, 0)!.Value;
        Text(hypervisor.Ebx, hypervisor.Ecx, hypervisor.Edx).Should().Be("Vmm.Vmm.Vmm.");
        uint[] words = [.. Enumerable.Range(0, 3).Select(i => profile.Find(0x8000_0002 + (uint)i, 0)!.Value).SelectMany(v => new[] { v.Eax, v.Ebx, v.Ecx, v.Edx })];
        Text(words).Should().Be(brand);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    [InlineData("v3")]
    public void Leaves_are_unique_and_within_the_ranges_announced(string name)
    {
        CpuProfile profile = CpuProfiles.ByName(name);
        profile.Leaves.Select(leaf => (leaf.Leaf, leaf.Subleaf)).Should().OnlyHaveUniqueItems();
        foreach (CpuidLeaf leaf in profile.Leaves)
        {
            uint maximum = profile.Find(leaf.Leaf & 0xC000_0000, 0)!.Value.Eax;
            leaf.Leaf.Should().BeLessThanOrEqualTo(maximum);
        }
        profile.Leaves.GroupBy(leaf => leaf.Leaf).Should().OnlyContain(group => group.Count() == 1 || group.All(leaf => leaf.Subleaf != null));
        (profile.Find(0x8000_0008, 0)!.Value.Eax & 0xFF).Should().Be((uint)profile.PhysicalAddressBits);
    }

    [Fact]
    public void Caches_have_the_sizes_that_the_page_tells()
    {
        static uint Size(CpuidResult value) => ((value.Ebx >> 22) + 1) * (((value.Ebx >> 12) & 0x3FF) + 1) * ((value.Ebx & 0xFFF) + 1) * (value.Ecx + 1);
        Size(CpuProfiles.V1.Find(4, 0)!.Value).Should().Be(32 * 1024);
        Size(CpuProfiles.V1.Find(4, 1)!.Value).Should().Be(32 * 1024);
        Size(CpuProfiles.V1.Find(4, 2)!.Value).Should().Be(1024 * 1024);
        (CpuProfiles.V1.Find(0x8000_0006, 0)!.Value.Ecx >> 16).Should().Be(1024);
    }

    [Theory]
    [InlineData(1_000_000_000, 1_000_000_000)]
    [InlineData(3_000_000_000, 24_000_000)]
    [InlineData(2_400_000_000, 25_000_000)]
    [InlineData(2_500_000_000, 200_000_000)]
    public void WithClocks_states_a_ratio_that_32_bit_kilohertz_give_back(ulong tsc, ulong crystal)
    {
        CpuProfile profile = CpuProfiles.V1.WithClocks(tsc, crystal);
        CpuidResult clock = profile.Find(0x15, 0)!.Value;
        ulong kilohertz = checked(clock.Ecx / 1000 * clock.Ebx) / clock.Eax;
        kilohertz.Should().Be(tsc / 1000);
        clock.Ecx.Should().Be((uint)crystal);
        profile.Find(0x16, 0)!.Value.Eax.Should().Be((uint)(tsc / 1_000_000));
        profile.TimeStampCounterFrequency.Should().Be(tsc);
        profile.ApicTimerFrequency.Should().Be(crystal);
        profile.Leaves.Should().HaveCount(CpuProfiles.V1.Leaves.Count);
        CpuProfiles.V1.TimeStampCounterFrequency.Should().Be(1_000_000_000);
    }

    [Theory]
    [InlineData(2_345_678_901, 1_000_000_000)]
    [InlineData(1_000_000_000, 5_000_000_000)]
    [InlineData(1_000_000_000, 123_456)]
    public void WithClocks_enumerates_nothing_that_a_guest_would_compute_wrongly(ulong tsc, ulong crystal)
    {
        CpuProfile profile = CpuProfiles.V2.WithClocks(tsc, crystal);
        profile.Find(0x15, 0)!.Value.Should().Be(default(CpuidResult));
        profile.TimeStampCounterFrequency.Should().Be(tsc);
    }

    [Fact]
    public void WithLeaf_replaces_or_adds_and_leaves_the_original_alone()
    {
        CpuidLeaf signature = new(1, null, new(0x806E9, 0x800, 0, 0));
        CpuidLeaf extra = new(0x8000_001F, null, new(1, 2, 3, 4));
        CpuProfile changed = CpuProfiles.V1.WithLeaf(signature).WithLeaf(extra);
        changed.Find(1, 0).Should().Be(signature);
        changed.Find(0x8000_001F, 7).Should().Be(extra);
        changed.Leaves.Should().HaveCount(CpuProfiles.V1.Leaves.Count + 1);
        CpuProfiles.V1.Find(1, 0).Should().NotBe(signature);
    }

    [Fact]
    public void ByName_ignores_case_and_lists_what_there_is()
    {
        CpuProfiles.ByName("V2").Should().BeSameAs(CpuProfiles.V2);
        Action act = () => CpuProfiles.ByName("haswell");
        act.Should().Throw<ArgumentException>().WithMessage("*'haswell'*v1, v2*");
    }

    private static IEnumerable<string> Shown(CpuProfile profile) =>
        Bits.Where(bit => ((Register(profile.Find(bit.Value.Leaf, bit.Value.Subleaf)!.Value, bit.Value.Register) >> bit.Value.Bit) & 1) != 0).Select(bit => bit.Key);

    private static uint Register(CpuidResult value, char register) => register switch
    {
        'a' => value.Eax,
        'b' => value.Ebx,
        'c' => value.Ecx,
        _ => value.Edx,
    };

    private static string Text(params uint[] words) => Encoding.ASCII.GetString([.. words.SelectMany(BitConverter.GetBytes)]).TrimEnd('\0');

    private static Dictionary<(uint, uint?), CpuidResult> Page(string profile)
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryRoot(), "docs", "profiles.md"));
        Dictionary<(uint, uint?), CpuidResult> rows = [];
        foreach (string line in lines.SkipWhile(line => line != $"## {profile}").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal)))
        {
            string[] cells = line.Split('|', StringSplitOptions.TrimEntries);
            if (cells.Length < 8 || !cells[1].StartsWith("0x", StringComparison.Ordinal))
                continue;
            uint[] values = [.. cells[3..7].Select(Number)];
            uint? subleaf = cells[2] == "any" ? null : uint.Parse(cells[2], CultureInfo.InvariantCulture);
            rows.Add((Number(cells[1]), subleaf), new(values[0], values[1], values[2], values[3]));
        }
        return rows;
    }

    private static uint Number(string text) => uint.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static string RepositoryRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Vmm.sln")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("The tests do not run below the repository.");
    }
}
