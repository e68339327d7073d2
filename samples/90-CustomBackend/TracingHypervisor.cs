using Vmm;
using Vmm.Testing;

namespace CustomBackend;

/// <summary>Any backend, with each exit of its processors told.</summary>
internal sealed class TracingHypervisor : DecoratedHypervisor
{
    private readonly Action<string> _tell;

    public TracingHypervisor(IHypervisor behind, Action<string> tell)
        : base(behind)
    {
        _tell = tell;
        // It promises whatever the one behind does.
        Capabilities = behind.Capabilities.For(Name);
    }

    public override string Name => "tracing";

    public override HypervisorCapabilities Capabilities { get; }

    protected override IPartition Decorate(IPartition partition) => new TracingPartition(this, partition);

    private sealed class TracingPartition(TracingHypervisor hypervisor, IPartition behind) : DecoratedPartition(hypervisor, behind)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new TracingProcessor(this, processor, hypervisor._tell);
    }

    private sealed class TracingProcessor(TracingPartition partition, IVirtualProcessor behind, Action<string> tell) : DecoratedProcessor(partition, behind)
    {
        public override VpExit Run() => Told(base.Run());

        // The second half of an access, or the next element of a string, exits here.
        public override CompletionStatus CompletePending(out VpExit exit)
        {
            CompletionStatus status = base.CompletePending(out exit);
            if (status == CompletionStatus.FurtherExit)
                Told(exit);
            return status;
        }

        public override void CompleteRead(ulong value)
        {
            tell($"processor {Index} reads {value}");
            base.CompleteRead(value);
        }

        private VpExit Told(VpExit exit)
        {
            tell(exit.Kind == ExitKind.PortIo
                ? $"processor {Index}: port 0x{exit.PortIo.Port:X} {(exit.PortIo.IsWrite ? $"is written {exit.PortIo.Value}" : "is read")}"
                : $"processor {Index}: {exit.Kind}");
            return exit;
        }
    }
}
