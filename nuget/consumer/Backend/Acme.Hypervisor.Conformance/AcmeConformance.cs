using Vmm;
using Vmm.Conformance.Xunit;
using Xunit.Abstractions;

namespace Acme;

public sealed class AcmeFixture : HypervisorFixture
{
    protected override string Name => "acme";

    protected override (IHypervisor? Hypervisor, string Reason) Create() => (new AcmeHypervisor(), "");
}

public sealed class AcmeConformance(AcmeFixture fixture, ITestOutputHelper output) : HypervisorConformance<AcmeFixture>(fixture, output);
