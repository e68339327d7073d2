namespace Vmm.Conformance.SelfTests;

/// <summary>A backend that declares what it is told and creates nothing.</summary>
internal sealed class NothingHypervisor(params Capability[] declared) : IHypervisor
{
    public string Name => "nothing";

    public Func<PartitionOptions, IPartition>? Creating { get; init; }

    public IReadOnlyList<Quirk> Quirks { get; init; } = [];

    public HypervisorCapabilities Capabilities =>
        new("nothing", declared) { SlatFormats = [SlatFormat.Ept, SlatFormat.Npt, SlatFormat.None], Quirks = Quirks };

    public IPartition CreatePartition(PartitionOptions options) =>
        Creating?.Invoke(options) ?? throw new HypervisorException(Name, "CreatePartition",
            hint: "This backend is for tests of the runner.");
}
