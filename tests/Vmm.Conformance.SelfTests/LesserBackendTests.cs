using Vmm.Emulator;
using Vmm.Testing;

namespace Vmm.Conformance.SelfTests;

/// <summary>The kit is fair: a backend that can less, and says so, passes.</summary>
[Collection(EmulatorCollection.Name)]
public sealed class LesserBackendTests
{
    [Fact]
    public void Backend_whose_processors_only_a_reset_wakes_passes()
    {
        ConformanceReport report = ConformanceRunner.Run(new WithoutEventState(), new ConformanceOptions { Filter = "instructions." });

        report.Failures.Select(failure => failure.Explain()).Should().BeEmpty();
        report.Count(CaseOutcome.Passed).Should().BeGreaterThan(10);
    }

    /// <summary>The emulator, with no way to read or write activity and pending events.</summary>
    private sealed class WithoutEventState : DecoratedHypervisor
    {
        public WithoutEventState()
            : base(new EmulatorHypervisor())
        {
            Capabilities = Inner.Capabilities.For(Name, Inner.Capabilities.Declared.Except([Capability.EventState, Capability.StartupState]));
        }

        public override HypervisorCapabilities Capabilities { get; }

        protected override IPartition Decorate(IPartition partition) => new Partition(this, partition);

        private sealed class Partition(DecoratedHypervisor hypervisor, IPartition inner) : DecoratedPartition(hypervisor, inner)
        {
            protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new Processor(this, processor);
        }

        private sealed class Processor(DecoratedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
        {
            public override void GetState(RegisterGroups groups, out ProcessorState state)
            {
                Check(groups);
                base.GetState(groups, out state);
            }

            public override void SetState(RegisterGroups groups, in ProcessorState state)
            {
                Check(groups);
                base.SetState(groups, in state);
            }

            private void Check(RegisterGroups groups)
            {
                if ((groups & RegisterGroups.Events) != 0)
                    Partition.Capabilities.Require(Capability.EventState);
            }
        }
    }
}
