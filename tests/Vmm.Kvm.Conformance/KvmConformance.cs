using Vmm.Conformance;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace Vmm.Kvm.Conformance;

/// <summary>The kit's cases on this host's KVM, as they came in one run of all.</summary>
public sealed class KvmConformance(KvmFixture fixture, ITestOutputHelper output) : HypervisorConformance<KvmFixture>(fixture, output)
{
    private readonly KvmFixture _kvm = fixture;
    private readonly ITestOutputHelper _printer = output;

    public override void Case_holds(string id)
    {
        CaseResult result = _kvm.Report.Results.Single(candidate => candidate.Case.Id == id);
        _printer.WriteLine(result.Explain());
        result.Outcome.Should().NotBe(CaseOutcome.Failed, "{0}", result.Explain());
        Skip.If(result.Outcome == CaseOutcome.Skipped, result.Message);
    }
}
