namespace Vmm.Core.Tests.State;

public sealed class TimeSuspensionTests
{
    private const uint Counter = 0x10;

    [Fact]
    public void Time_that_a_client_has_stopped_stands_through_save_and_restore()
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new());
        IVirtualProcessor processor = partition.Processors[0];
        partition.SuspendTime();
        ulong stopped = processor.ReadMsr(Counter);
        PartitionSnapshot.Capture(partition).Apply(partition);
        Thread.Sleep(2);
        processor.ReadMsr(Counter).Should().Be(stopped);
        partition.ResumeTime();
        Thread.Sleep(2);
        processor.ReadMsr(Counter).Should().BeGreaterThan(stopped);
    }

    [Fact]
    public void Platform_is_told_of_the_first_stop_and_the_last_resumption_only()
    {
        using Timed partition = new();
        partition.SuspendTime();
        partition.SuspendTime();
        partition.ResumeTime();
        partition.Calls.Should().Equal("suspend");
        partition.ResumeTime();
        partition.Calls.Should().Equal("suspend", "resume");
        Action more = partition.ResumeTime;
        more.Should().Throw<InvalidOperationException>();
    }

    private sealed class TimedHypervisor() : HypervisorBase(new HypervisorCapabilities("timed", [Capability.TimeControl]), null)
    {
        protected override PartitionBase CreatePartitionCore(PartitionOptions options) => throw new NotSupportedException();
    }

    private sealed class Timed() : PartitionBase(new TimedHypervisor(), new())
    {
        public List<string> Calls { get; } = [];

        public override ISecondLevelAddressTranslation Memory => throw new NotSupportedException();

        protected override void SuspendTimeCore() => Calls.Add("suspend");

        protected override void ResumeTimeCore() => Calls.Add("resume");

        protected override void ResetCore()
        {
        }

        protected override void DisposeCore()
        {
        }
    }
}
