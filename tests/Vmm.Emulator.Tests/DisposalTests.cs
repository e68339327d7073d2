namespace Vmm.Emulator.Tests;

/// <summary>Other threads may still ask for a processor while its partition goes away.</summary>
public sealed class DisposalTests
{
    [Fact]
    public void Cancels_injections_and_counters_race_with_disposal_without_harm()
    {
        for (int round = 0; round < 200; round++)
        {
            IPartition partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions { LocalApic = LocalApicMode.XApic });
            IVirtualProcessor processor = partition.Processors[0];
            using Barrier start = new(2);
            Task other = Task.Run(() =>
            {
                start.SignalAndWait();
                for (int i = 0; i < 100; i++)
                {
                    processor.Cancel();
                    partition.NotifyExternalInterrupt();
                    _ = processor.Counters.Instructions;
                }
            });
            start.SignalAndWait();
            partition.Dispose();
            other.Invoking(task => task.Wait()).Should().NotThrow();
            processor.Counters.Instructions.Should().Be(0);
        }
    }
}
