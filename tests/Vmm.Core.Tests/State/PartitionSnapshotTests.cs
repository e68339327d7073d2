using System.Buffers.Binary;
using System.Collections.Immutable;
using Vmm.Testing;

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

    public static TheoryData<string, Func<CpuProfile, CpuProfile>, RestoreOptions?, string> Differences { get; } = new()
    {
        // What the target shows more of is admitted, and nothing else by that.
        { "a leaf more", p => p.WithLeaf(new(0x14, 0, new(1, 2, 3, 4))), new() { AllowSupersetCpuid = true }, "*leaf 0x14.0 is 00000001:00000002:00000003:00000004 here*AllowSupersetCpuid*" },
        { "a feature more", p => p.WithLeaf(With(p, 7, 0, v => v with { Ebx = v.Ebx | (1 << 16) })), new() { AllowSupersetCpuid = true }, "*leaf 0x7.0*AllowSupersetCpuid*" },
        { "a higher last leaf", p => p.WithLeaf(With(p, 0, 0, v => v with { Eax = 0x20 })), new() { AllowSupersetCpuid = true }, "*leaf 0x0*AllowSupersetCpuid*" },
        { "another name", p => p.WithLeaf(With(p, 0x8000_0002, 0, v => v with { Eax = 1 })), new() { AllowSupersetCpuid = true }, "*leaf 0x80000002*" },
        { "wider addresses", p => p with { PhysicalAddressBits = 46 }, new() { AllowSupersetCpuid = true }, "*40 bits for the saved guest and 46 here*" },
        { "more of XCR0", p => p with { Xcr0Mask = 0xE7 }, new() { AllowSupersetCpuid = true }, "*0x7 for the saved guest and 0xE7 here*" },
        { "another clock", p => p.WithClocks(2_450_000_000, 1_000_000_000), new() { AllowOtherClocks = true }, "*TSC frequency is 1000000000 Hz for the saved guest and 2450000000 Hz here*AllowOtherClocks*" },
        { "a feature less", p => p.WithLeaf(With(p, 7, 0, v => v with { Ebx = v.Ebx & ~0x20U })), null, "*leaf 0x7.0*lacks 0x20 in EBX*Restore where*" },
        { "a leaf less", p => p with { Leaves = [.. p.Leaves.Where(leaf => leaf.Leaf != 4)] }, null, "*leaf 0x4.0*is not shown here*" },
        { "a lower last leaf", p => p.WithLeaf(With(p, 0, 0, v => v with { Eax = 0xD })), null, "*leaf 0x0*" },
        { "another vendor", p => p.WithLeaf(With(p, 0, 0, v => v with { Ebx = 0x6874_7541 })), null, "*leaf 0x0*" },
        { "narrower addresses", p => p with { PhysicalAddressBits = 36 }, null, "*40 bits for the saved guest and 36 here*" },
        { "another place of the AVX state", p => p.WithLeaf(With(p, 0xD, 2, v => v with { Ebx = 832 })), null, "*leaf 0xD.2*" },
        { "other caches", p => p.WithLeaf(With(p, 4, 2, v => v with { Ecx = 0x7FF })), null, "*leaf 0x4.2*" },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void Difference_is_refused_with_both_sides_and_a_way_out(string difference, Func<CpuProfile, CpuProfile> change, RestoreOptions? admits, string message)
    {
        using IPartition here = Create(CpuProfiles.V3);
        using ChangedPartition target = new(here, change(CpuProfiles.V3));
        PartitionSnapshot saved = PartitionSnapshot.Capture(here);
        saved.Check(here);
        saved.Invoking(snapshot => snapshot.Check(target)).Should().Throw<SavedStateException>(difference).WithMessage(message);
        foreach (RestoreOptions other in (RestoreOptions[])[new() { AllowSupersetCpuid = true }, new() { AllowOtherClocks = true }])
        {
            if (other == admits)
                saved.Check(target, other);
            else
                saved.Invoking(snapshot => snapshot.Check(target, other)).Should().Throw<SavedStateException>(difference).WithMessage(message);
        }
    }

    [Fact]
    public void What_depends_on_the_processor_or_on_a_local_apic_is_no_difference()
    {
        using IPartition without = Create(CpuProfiles.V3, LocalApicMode.None);
        using IPartition with = Create(CpuProfiles.V3);
        Func<CpuProfile, CpuProfile> change = p => p.WithLeaf(With(p, 1, 0, v => v with { Ebx = v.Ebx | 0x0500_0000, Ecx = (v.Ecx | (1 << 27)) & ~((1U << 21) | (1 << 24)), Edx = v.Edx & ~(1U << 9) }));
        using ChangedPartition target = new(without, change(CpuProfiles.V3));
        using ChangedPartition lacking = new(with, change(CpuProfiles.V3));
        PartitionSnapshot.Capture(without).Check(target);
        PartitionSnapshot.Capture(with).Invoking(snapshot => snapshot.Check(lacking)).Should().Throw<SavedStateException>().WithMessage("*0x1200000 in ECX*");
    }

    [Fact]
    public void Guest_that_was_admitted_where_more_is_shown_may_go_back()
    {
        using IPartition small = Create(CpuProfiles.V1);
        using IPartition large = Create(CpuProfiles.V2);
        PartitionSnapshot first = PartitionSnapshot.Capture(small);
        first.Apply(large, new() { AllowSupersetCpuid = true });
        PartitionSnapshot.Capture(large).Invoking(snapshot => snapshot.Apply(small)).Should().Throw<SavedStateException>();
        PartitionSnapshot.Capture(large, first.Profile).Apply(small);
    }

    [Fact]
    public void Components_that_a_platform_hands_over_but_the_guest_cannot_have_are_not_saved()
    {
        using IPartition plain = Create(CpuProfiles.V3);
        using ChangedPartition noisy = new(plain, CpuProfiles.V3);
        PartitionSnapshot expected = PartitionSnapshot.Capture(plain);
        ImmutableArray<StateField> Fields(PartitionSnapshot snapshot) => snapshot.Processors[0].Elements.Single(element => element.Id == "xsave").Fields;
        Fields(PartitionSnapshot.Capture(noisy)).Should().Equal(Fields(expected), "AVX state of zeros is initial, and protection keys are not in the profile");
        noisy.Avx = 0x11;
        Fields(PartitionSnapshot.Capture(noisy)).Except(Fields(expected)).Should().Equal(new StateField("ExtendedComponents", 4), new StateField("Area+0x240", 0x11));
        using IPartition without = Create(CpuProfiles.V2);
        PartitionSnapshot withAvx = PartitionSnapshot.Capture(noisy, CpuProfiles.V2);
        withAvx.Invoking(snapshot => snapshot.Apply(without)).Should().Throw<SavedStateException>().WithMessage("*'xsave' holds the XSAVE components 0x4*may hold 0x3*");
    }

    [Fact]
    public void Nothing_is_changed_when_a_later_processor_cannot_be_restored()
    {
        using IPartition two = Hypervisors.Emulator().CreatePartition(new() { LocalApic = LocalApicMode.XApic, ProcessorCount = 2 });
        PartitionSnapshot saved = PartitionSnapshot.Capture(two);
        ImmutableArray<ElementState> elements = saved.Processors[1].Elements;
        int general = elements.IndexOf(elements.Single(element => element.Id == "general"));
        ElementState broken = elements[general] with { Fields = elements[general].Fields.RemoveAt(0) };
        saved = saved with { Processors = saved.Processors.SetItem(1, new(elements.SetItem(general, broken))) };
        two.Processors[0][Register.Rbx] = 77;
        saved.Invoking(snapshot => snapshot.Apply(two)).Should().Throw<SavedStateException>().WithMessage("Processor 1 cannot be restored: *'general' lacks the value*");
        two.Processors[0][Register.Rbx].Should().Be(77);
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

    private static CpuidLeaf With(CpuProfile profile, uint leaf, uint subleaf, Func<CpuidResult, CpuidResult> change)
    {
        CpuidLeaf entry = profile.Find(leaf, subleaf)!;
        return entry with { Value = change(entry.Value) };
    }

    // A partition as a host makes it that cannot hide what it has, and whose XSAVE areas say more than the guest can have.
    private sealed class ChangedPartition(IPartition inner, CpuProfile profile) : DecoratedPartition(new DecoratedHypervisor(Hypervisors.Emulator()), inner)
    {
        public byte Avx { get; set; }

        public override CpuProfile CpuProfile => profile;

        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new ChangedProcessor(this, processor);

        private sealed class ChangedProcessor(ChangedPartition partition, IVirtualProcessor inner) : DecoratedProcessor(partition, inner)
        {
            public override int XsaveSize => 2696;

            public override void GetXsave(Span<byte> area)
            {
                area.Clear();
                Inner.GetXsave(area[..Inner.XsaveSize]);
                BinaryPrimitives.WriteUInt64LittleEndian(area[512..], BinaryPrimitives.ReadUInt64LittleEndian(area[512..]) | 0x204);
                area[576] = partition.Avx;
                area[2688] = 0x55;
            }
        }
    }
}
