using Vmm;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace AcmeBackend.Conformance;

/// <summary>
/// Makes the backend. Where it is unavailable return null, with the reason and what to do: the tests are skipped with these words.
/// </summary>
public sealed class AcmeWordFixture : HypervisorFixture
{
    protected override string Name => "acme-word";

    protected override (IHypervisor? Hypervisor, string Reason) Create() => (new AcmeWordHypervisor(), "");
}

/// <summary>The kit: each case is a test.</summary>
public sealed class AcmeWordConformance(AcmeWordFixture fixture, ITestOutputHelper output) : HypervisorConformance<AcmeWordFixture>(fixture, output);
