using Vmm.PublicApi;

namespace Vmm.Packages.Tests;

public sealed class ApiBaselineTests
{
    public static TheoryData<string> Baselines
    {
        get
        {
            TheoryData<string> data = [];
            foreach (string file in Directory.GetFiles(Repository.At("nuget", "baseline"), "*.txt").Order())
                data.Add(Path.GetFileNameWithoutExtension(file));
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Baselines))]
    public void Package_keeps_what_its_baseline_promises(string package)
    {
        string text = File.ReadAllText(Repository.At("nuget", "baseline", $"{package}.txt"));
        string assembly = Path.Combine(AppContext.BaseDirectory, $"{package}.dll");

        SortedDictionary<string, ApiType> now = ApiType.Parse(ApiType.Write(ApiListing.Read(assembly)));

        ApiComparison.Breaks(ApiType.Parse(text), now).Should().BeEmpty("a break that is meant is written down: nuget/baseline/update");
    }

    [Fact]
    public void Every_library_but_new_ones_has_a_baseline()
    {
        Directory.GetFiles(Repository.At("nuget", "baseline"), "*.txt").Select(Path.GetFileNameWithoutExtension)
            .Should().Contain(["Vmm", "Vmm.Abstractions", "Vmm.Core", "Vmm.Conformance", "Vmm.Emulator"]).And.BeSubsetOf(Repository.Packages);
    }
}
