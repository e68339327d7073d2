using Vmm;
/* here */

public sealed class MyHypervisor : IHypervisor
{
    private readonly IHypervisor _inner = Hypervisors.Emulator();

    public string Name => "mine";

    public HypervisorCapabilities Capabilities => _inner.Capabilities;

    public IPartition CreatePartition(PartitionOptions options) => _inner.CreatePartition(options);
}
