using Vmm.Kvm.Probes;
using Vmm.Testing;

namespace Vmm.Kvm.Tests.Probes;

/// <summary>What goes wrong with a guest.</summary>
internal enum Fault
{
    None,
    Fails,
    Hangs,
    Shutdown,
    WrongAnswer,
    Crawls,
}

internal delegate Fault FaultOf(ReadOnlySpan<byte> code);

/// <summary>A backend that treats guests as their code says, with nothing after it but zeros.</summary>
internal sealed class FaultyHypervisor(IHypervisor inner, FaultOf faultOf) : DecoratedHypervisor(inner)
{
    protected override IPartition Decorate(IPartition partition) => new Partition(this, partition, faultOf);

    private sealed class Partition(FaultyHypervisor hypervisor, IPartition inner, FaultOf faultOf) : DecoratedPartition(hypervisor, inner)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new Processor(this, processor, faultOf);
    }

    private sealed class Processor(Partition partition, IVirtualProcessor inner, FaultOf faultOf) : DecoratedProcessor(partition, inner)
    {
        private volatile bool _cancelled;

        public override void Cancel() => _cancelled = true;

        public override VpExit Run()
        {
            byte[] code = new byte[64];
            Partition.Memory.Read(ProbeLayout.Code, code);
            switch (faultOf(code.AsSpan().TrimEnd((byte)0)))
            {
                case Fault.Fails:
                    return new VpExit(new FailedExit { Code = 1 }, this[Register.Rip]);
                case Fault.Shutdown:
                    return new VpExit(ExitKind.Shutdown, this[Register.Rip]);
                case Fault.Hangs:
                    return Wait();
                case Fault.Crawls:
                    this[Register.Rcx] = unchecked((ulong)-1000);
                    return Wait();
                case Fault.WrongAnswer:
                    VpExit exit = Inner.Run();
                    return new VpExit(exit.PortIo with { Value = exit.PortIo.Value ^ 1 }, exit.Rip);
                default:
                    using (Timer timer = new(_ => Forward(), null, 1, 1))
                        return Inner.Run();
            }
        }

        private VpExit Wait()
        {
            SpinWait.SpinUntil(() => _cancelled);
            _cancelled = false;
            return new VpExit(ExitKind.Cancelled);
        }

        private void Forward()
        {
            if (!_cancelled)
                return;
            _cancelled = false;
            Inner.Cancel();
        }
    }
}
