namespace Vmm.Core.Tests.State;

public sealed class EmulatorStateTests
{
    [Theory]
    [InlineData(LocalApicMode.None)]
    [InlineData(LocalApicMode.XApic)]
    public void Emulator_is_at_power_on_when_created_and_after_a_reset(LocalApicMode localApic)
    {
        using IPartition partition = Hypervisors.Emulator().CreatePartition(new() { LocalApic = localApic });
        IVirtualProcessor processor = partition.Processors[0];
        ProcessorSnapshot.CompareWithPowerOn(processor).Should().BeEmpty();
        Disturb(processor);
        ProcessorSnapshot.CompareWithPowerOn(processor).Should().NotBeEmpty();
        partition.Reset(keepMemory: true);
        ProcessorSnapshot.CompareWithPowerOn(processor).Should().BeEmpty();
    }

    [Fact]
    public void Snapshot_moves_between_partitions()
    {
        using IPartition source = Hypervisors.Emulator().CreatePartition(new() { SlatFormat = SlatFormat.Ept });
        using IPartition target = Hypervisors.Emulator().CreatePartition(new() { SlatFormat = SlatFormat.Npt });
        Disturb(source.Processors[0]);
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(source.Processors[0]);
        snapshot.Apply(target.Processors[0]);
        ProcessorSnapshot.Compare(snapshot, ProcessorSnapshot.Capture(target.Processors[0])).Should().BeEmpty();
    }

    private static void Disturb(IVirtualProcessor processor)
    {
        processor[Register.Rax] = 0x1122_3344_5566_7788;
        processor[Register.Rip] = 0x1000;
        processor[Register.Cr2] = 0x5000;
        processor[Register.Dr0] = 0x1234;
        processor.WriteMsr(0xC000_0082, 0xFFFF_8000_0000_1000);
        processor.GetState(RegisterGroups.Segments, out ProcessorState state);
        state.Segments.Ds = SegmentDescriptor.RealModeData(0x2000);
        processor.SetState(RegisterGroups.Segments, in state);
        byte[] area = new byte[processor.XsaveSize];
        processor.GetXsave(area);
        area[512] = 3;
        area[160] = 0x5A;
        area[0] = 0x7F;
        processor.SetXsave(area);
    }
}
