using Vmm;
using Vmm.Emulator;
using Vmm.Testing;

namespace Acme;

/// <summary>A third party's backend: the emulator, with a count of the exits of all its processors.</summary>
public sealed class AcmeHypervisor : DecoratedHypervisor
{
    private long _exits;

    public AcmeHypervisor()
        : base(new EmulatorHypervisor())
    {
        Capabilities = Inner.Capabilities.For(Name);
    }

    public override string Name => "acme";

    public override HypervisorCapabilities Capabilities { get; }

    /// <summary>Exits so far. May be read at any time.</summary>
    public long Exits => Volatile.Read(ref _exits);

    protected override IPartition Decorate(IPartition partition) => new AcmePartition(this, partition);

    private sealed class AcmePartition(AcmeHypervisor hypervisor, IPartition inner) : DecoratedPartition(hypervisor, inner)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new AcmeProcessor(this, hypervisor, processor);
    }

    private sealed class AcmeProcessor(AcmePartition partition, AcmeHypervisor hypervisor, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
    {
        public override VpExit Run()
        {
            VpExit exit = base.Run();
            Interlocked.Increment(ref hypervisor._exits);
            return exit;
        }

#if DEFECT
        // What a hurried author forgets: the upper half of a register that a 32-bit read leaves.
        public override void CompleteRead(ulong value) => base.CompleteRead(value & 0xFFFF);
#endif
    }
}
