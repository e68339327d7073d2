using Vmm.Conformance.Xunit;

namespace Vmm.Conformance.SelfTests;

public sealed class FixtureTests : IDisposable
{
    private readonly string? _required = Environment.GetEnvironmentVariable("VMM_REQUIRE");

    public void Dispose() => Environment.SetEnvironmentVariable("VMM_REQUIRE", _required);

    [Fact]
    public void Unavailable_backend_skips_with_the_reason()
    {
        using Fixture fixture = new();
        Action use = () => _ = fixture.Hypervisor;
        use.Should().Throw<SkipException>().WithMessage("*no such device: load the module*");
    }

    [Fact]
    public void Unavailable_backend_that_is_required_fails()
    {
        Environment.SetEnvironmentVariable("VMM_REQUIRE", "gcc, Thing");
        using Fixture fixture = new();
        Action use = () => _ = fixture.Hypervisor;
        use.Should().Throw<InvalidOperationException>().WithMessage("*VMM_REQUIRE*no such device*");
    }

    [Fact]
    public void Theory_has_a_row_for_each_case() => ConformanceTheory.Cases.Should().HaveCount(ConformanceCatalog.All.Count);

    private sealed class Fixture : HypervisorFixture
    {
        protected override string Name => "thing";

        protected override (IHypervisor? Hypervisor, string Reason) Create() => (null, "no such device: load the module");
    }
}
