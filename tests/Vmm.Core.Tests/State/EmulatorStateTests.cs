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

    [Fact]
    public void Upper_halves_of_vector_registers_move_where_the_profile_has_them()
    {
        using IPartition source = Hypervisors.Emulator().CreatePartition(new() { CpuProfile = CpuProfiles.V3 });
        using IPartition target = Hypervisors.Emulator().CreatePartition(new() { CpuProfile = CpuProfiles.V3 });
        IVirtualProcessor processor = source.Processors[0];
        processor.XsaveSize.Should().Be(832);
        byte[] area = new byte[832];
        processor.GetXsave(area);
        area[512].Should().Be(3, "upper halves in their initial state are not in use");
        area[512] = 7;
        area[576] = 0x11;
        area[576 + (15 * 16) + 15] = 0x99;
        processor.SetXsave(area);
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(processor);
        snapshot.Apply(target.Processors[0]);
        byte[] moved = new byte[832];
        target.Processors[0].GetXsave(moved);
        moved.Should().Equal(area);
        area[512] = 3;
        processor.SetXsave(area);
        processor.GetXsave(moved);
        moved[576].Should().Be(0);
        using IPartition lesser = Hypervisors.Emulator().CreatePartition(new() { CpuProfile = CpuProfiles.V2 });
        lesser.Processors[0].XsaveSize.Should().Be(576);
        FluentActions.Invoking(() => snapshot.Apply(lesser.Processors[0])).Should().Throw<Exception>();
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
