using Xunit;
using Xunit.Abstractions;

namespace Vmm.Conformance.Xunit;

/// <summary>All cases of the kit as one theory: a backend author derives it with the fixture, and that is the test project.</summary>
/// <typeparam name="TFixture">Makes the backend.</typeparam>
public abstract class HypervisorConformance<TFixture> : IClassFixture<TFixture>
    where TFixture : HypervisorFixture
{
    private readonly TFixture _fixture;
    private readonly ITestOutputHelper _output;

    /// <summary>Makes the test class.</summary>
    protected HypervisorConformance(TFixture fixture, ITestOutputHelper output)
    {
        _fixture = fixture;
        _output = output;
    }

    /// <summary>The case holds with each format of nested tables that the backend lets one choose. Absent counts as holding.</summary>
    [SkippableTheory]
    [MemberData(nameof(ConformanceTheory.Cases), MemberType = typeof(ConformanceTheory))]
    public virtual void Case_holds(string id)
    {
        IHypervisor hypervisor = _fixture.Hypervisor;
        ConformanceCase conformanceCase = ConformanceCatalog.Find(id) ?? throw new InvalidOperationException($"No case is called {id}.");
        List<CaseResult> results = [];
        foreach (SlatFormat? format in ConformanceRunner.DefaultFormats(hypervisor.Capabilities))
            results.Add(ConformanceRunner.RunCase(hypervisor, conformanceCase, format, _fixture.Options));
        foreach (CaseResult result in results)
            _output.WriteLine(result.Explain());
        CaseResult[] failures = [.. results.Where(result => result.Outcome == CaseOutcome.Failed)];
        Assert.True(failures.Length == 0, string.Join(Environment.NewLine, failures.Select(failure => failure.Explain())));
        CaseResult? skipped = results.Find(result => result.Outcome == CaseOutcome.Skipped);
        Skip.If(skipped is not null, skipped?.Message);
    }
}
