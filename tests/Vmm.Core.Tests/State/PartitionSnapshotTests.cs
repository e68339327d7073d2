using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Vmm.Core.Tests.State;

public sealed class PartitionSnapshotTests
{
    private static IPartition Create(CpuProfile? profile = null, LocalApicMode localApic = LocalApicMode.XApic, SlatFormat format = SlatFormat.Ept) =>
        Hypervisors.Emulator().CreatePartition(new() { CpuProfile = profile, LocalApic = localApic, SlatFormat = format });

    [Theory]
    [InlineData(LocalApicMode.None)]
    [InlineData(LocalApicMode.XApic)]
    [InlineData(LocalApicMode.X2Apic)]
    public void Every_element_moves_to_another_partition(LocalApicMode localApic)
    {
        using IPartition source = Create(CpuProfiles.V2, localApic);
        using IPartition target = Create(CpuProfiles.V2, localApic, SlatFormat.Npt);
        Disturb(source.Processors[0]);
        PartitionSnapshot saved = PartitionSnapshot.Capture(source);
        // The oracle that nothing stays behind: each element differs from that of a fresh processor.
        ImmutableArray<ElementState> fresh = PartitionSnapshot.Capture(target).Processors[0].Elements;
        foreach (ElementState element in saved.Processors[0].Elements.Where(element => element.Id != "time"))
            element.Fields.Should().NotEqual(fresh.Single(other => other.Id == element.Id).Fields, "{0} was disturbed", element.Id);

        saved.Apply(target).Should().ContainSingle().Which.Should().BeEmpty();
        PartitionSnapshot restored = PartitionSnapshot.Capture(target);
        foreach (ElementState element in saved.Processors[0].Elements.Where(element => StateElements.Find(element.Id)!.IsComparable))
            restored.Processors[0].Elements.Single(other => other.Id == element.Id).Fields.Should().Equal(element.Fields, "{0} was restored", element.Id);
    }

    [Fact]
    public void Counter_and_timer_go_on_from_where_they_stood()
    {
        using IPartition source = Create();
        using IPartition target = Create();
        IVirtualProcessor processor = source.Processors[0];
        source.SuspendTime();
        target.SuspendTime();
        processor.WriteMsr(0x10, 77_000_000_000_000);
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        Write(page, 0xF0, 0x1FF);
        Write(page, 0x320, 0x2_0050); // periodic
        Write(page, 0x3E0, 0xB); // by 1
        Write(page, 0x380, 4_000_000_000);
        Write(page, 0x390, 1_234_567_890);
        processor.SetLocalApic(page);
        PartitionSnapshot.Capture(source).Apply(target);
        target.Processors[0].ReadMsr(0x10).Should().Be(77_000_000_000_000);
        target.Processors[0].GetLocalApic(page);
        Read(page, 0x380).Should().Be(4_000_000_000);
        Read(page, 0x390).Should().Be(1_234_567_890);
        target.ResumeTime();
        target.Processors[0].GetLocalApic(page);
        Read(page, 0x390).Should().BeLessThanOrEqualTo(1_234_567_890);
        target.Processors[0].ReadMsr(0x10).Should().BeGreaterThan(77_000_000_000_000);
    }

    [Fact]
    public void Deadline_of_the_counter_is_kept_and_one_that_has_passed_interrupts()
    {
        using IPartition source = Create();
        using IPartition target = Create();
        IVirtualProcessor processor = source.Processors[0];
        source.SuspendTime();
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        Write(page, 0xF0, 0x1FF);
        Write(page, 0x320, 0x4_0051); // TSC deadline
        processor.SetLocalApic(page);
        processor.WriteMsr(0x10, 1000);
        processor.WriteMsr(0x6E0, 1_000_000_000_000);
        PartitionSnapshot waiting = PartitionSnapshot.Capture(source);
        waiting.Apply(target);
        target.Processors[0].ReadMsr(0x6E0).Should().Be(1_000_000_000_000);

        // The counter passes the deadline while the time stands: the saved state has the interrupt, not the deadline.
        processor.WriteMsr(0x10, 2_000_000_000_000);
        PartitionSnapshot.Capture(source).Apply(target);
        target.Processors[0].ReadMsr(0x6E0).Should().Be(0);
        target.Processors[0].GetLocalApic(page);
        Read(page, 0x200 + (16 * (0x51 / 32))).Should().Be(1U << (0x51 % 32));
    }

    [Fact]
    public void Client_can_set_the_counter_and_its_adjustment_apart()
    {
        using IPartition partition = Create();
        IVirtualProcessor processor = partition.Processors[0];
        partition.SuspendTime();
        processor.WriteMsr(0x10, 5_000_000);
        ProcessorSnapshot snapshot = ProcessorSnapshot.Capture(processor);
        UInt128? adjustment = snapshot.Elements.Single(element => element.Id == "msrs").Fields
            .Cast<StateField?>().FirstOrDefault(field => field!.Value.Name == "TscAdjust")?.Value;
        if (adjustment is { } adjust)
            adjust.Should().Be(UInt128.Zero);
        processor.ReadMsr(0x10).Should().Be(5_000_000);
    }

    [Fact]
    public void Target_that_lacks_or_shows_more_is_refused_naming_the_leaf()
    {
        using IPartition small = Create(CpuProfiles.V1);
        using IPartition large = Create(CpuProfiles.V2);
        PartitionSnapshot fromSmall = PartitionSnapshot.Capture(small);
        PartitionSnapshot fromLarge = PartitionSnapshot.Capture(large);
        fromLarge.Invoking(snapshot => snapshot.Apply(small, new() { AllowSupersetCpuid = true })).Should().Throw<SavedStateException>().WithMessage("*XCR0*");
        PartitionSnapshot withoutXsave = fromLarge with { Profile = fromLarge.Profile! with { Xcr0Mask = 0 } };
        withoutXsave.Invoking(snapshot => snapshot.Apply(small, new() { AllowSupersetCpuid = true })).Should().Throw<SavedStateException>().WithMessage("*CPUID leaf*");
        fromSmall.Invoking(snapshot => snapshot.Apply(large)).Should().Throw<SavedStateException>().WithMessage("*AllowSupersetCpuid*");
        fromSmall.Apply(large, new() { AllowSupersetCpuid = true });
    }

    [Fact]
    public void Other_processor_counts_frequencies_and_missing_apics_are_refused()
    {
        using IPartition with = Create();
        using IPartition without = Create(localApic: LocalApicMode.None);
        PartitionSnapshot saved = PartitionSnapshot.Capture(with);
        saved.Invoking(snapshot => snapshot.Apply(without)).Should().Throw<SavedStateException>().WithMessage("*local APICs*");
        (saved with { Processors = [] }).Invoking(snapshot => snapshot.Apply(with)).Should().Throw<SavedStateException>().WithMessage("*0 processor*");
        PartitionSnapshot faster = saved with { Profile = saved.Profile! with { TimeStampCounterFrequency = 5 } };
        faster.Invoking(snapshot => snapshot.Apply(with)).Should().Throw<SavedStateException>().WithMessage("*TSC frequency is 5*");
    }

    [Fact]
    public void Unknown_element_is_refused_or_given_back()
    {
        using IPartition partition = Create();
        PartitionSnapshot saved = PartitionSnapshot.Capture(partition);
        ElementState later = new("shadow-stack", 1, [new("Ssp", 0x1000)]);
        saved = saved with { Processors = [new([.. saved.Processors[0].Elements, later])] };
        saved.Invoking(snapshot => snapshot.Apply(partition)).Should().Throw<SavedStateException>().WithMessage("*'shadow-stack'*");
        saved.Apply(partition, new() { UnknownElements = UnknownElementPolicy.Preserve }).Should().ContainSingle().Which.Should().Equal(later);
    }

    [Fact]
    public void Hostile_values_are_refused_or_taken_but_never_crash()
    {
        const int Seed = 4711;
        Random random = new(Seed);
        using IPartition partition = Create(CpuProfiles.V2);
        using IPartition target = Create(CpuProfiles.V2);
        Disturb(partition.Processors[0]);
        ImmutableArray<ElementState> elements = PartitionSnapshot.Capture(partition).Processors[0].Elements;
        for (int round = 0; round < 500; round++)
        {
            int chosen = random.Next(elements.Length);
            ImmutableArray<StateField> fields = elements[chosen].Fields;
            int field = random.Next(fields.Length);
            UInt128 value = new((ulong)random.NextInt64(), (ulong)random.NextInt64());
            fields = fields.SetItem(field, fields[field] with { Value = value >> random.Next(128) });
            ProcessorSnapshot hostile = new(elements.SetItem(chosen, elements[chosen] with { Fields = fields }));
            try
            {
                hostile.Apply(target.Processors[0]);
            }
            catch (ArgumentException e)
            {
                e.Message.Should().NotBeEmpty("seed {0}", Seed);
                continue;
            }
            target.Processors[0].Cancel();
            target.Processors[0].Run();
            if (target.Processors[0].IsPending)
                target.Reset(keepMemory: true);
        }
    }

    private static void Disturb(IVirtualProcessor processor)
    {
        bool hasApic = processor.Partition.Options.LocalApic != LocalApicMode.None;
        for (Register register = Register.Rax; register <= Register.R15; register++)
            processor[register] = 0x1000 + (ulong)register;
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state.General.Rflags = 0x2D7;
        state.Segments.Ds = SegmentDescriptor.RealModeData(0x2000);
        state.Segments.Gdtr = new(0x5000, 0x7F);
        state.Control.Cr2 = 0x1234_5000;
        state.Control.Cr8 = 5;
        state.Debug.Dr0 = 0x4321;
        state.Debug.Dr6 = 0xFFFF_0FF1;
        state.Events = new()
        {
            Activity = ProcessorActivity.Halted, Shadow = InterruptibilityShadow.Sti, NmiBlocked = true, NmiPending = true, PendingDebugTrap = 0x4000,
            InitPending = hasApic, StartupPending = hasApic, StartupVector = hasApic ? (byte)0x9A : (byte)0,
            HasDelivering = true, Delivering = InjectedEvent.Exception(14, 2, 0xFEED_F000),
            HasPending = true, Pending = InjectedEvent.Interrupt(0x42),
        };
        processor.SetState(RegisterGroups.All, in state);
        uint number = 1;
        foreach (uint msr in (uint[])[0x174, 0x175, 0x176, 0x1A0, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102, 0xC000_0103, 0x250])
            processor.WriteMsr(msr, msr == 0x250 ? 0x0606_0606_0606_0606UL : 0x1000UL * number++);
        byte[] area = new byte[processor.XsaveSize];
        processor.GetXsave(area);
        for (int i = 160; i < 416; i++)
            area[i] = (byte)i;
        area[0] = 0x7E;
        processor.SetXsave(area);
        if (!hasApic)
            return;
        byte[] page = new byte[1024];
        processor.GetLocalApic(page);
        Write(page, 0xF0, 0x1FE);
        Write(page, 0xE0, 0x0FFF_FFFF);
        Write(page, 0x110, 0x8000_0000);
        Write(page, 0x1A0, 0x4000_0000);
        Write(page, 0x220, 0x4000_0000);
        Write(page, 0x284, 0x20);
        Write(page, 0x320, 0x33);
        Write(page, 0x380, 4_000_000_000);
        Write(page, 0x390, 3_999_999_999);
        processor.SetLocalApic(page);
    }

    private static void Write(byte[] page, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);

    private static uint Read(byte[] page, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(offset));
}
