using Vmm;

namespace AcmeBackend;

/// <summary>One virtual machine.</summary>
internal sealed class AcmeWordPartition : PartitionBase
{
    private readonly AcmeWordMemory _memory;

    public AcmeWordPartition(AcmeWordHypervisor hypervisor, PartitionOptions options, IHypervisor platform)
        : base(hypervisor, options)
    {
        CpuProfile = options.CpuProfile ?? CpuProfiles.V1;
        Platform = platform.CreatePartition(new PartitionOptions { CpuProfile = CpuProfile });
        _memory = new AcmeWordMemory(this);
        SetProcessors([new AcmeWordProcessor(this, 0)]);
    }

    /// <summary>The platform's own partition.</summary>
    public IPartition Platform { get; }

    public override CpuProfile CpuProfile { get; }

    public override ISecondLevelAddressTranslation Memory => _memory;

    protected override void ResetCore() => Platform.Reset(keepMemory: true);

    protected override void DisposeCore()
    {
        Platform.Dispose();
        _memory.Release();
    }
}
