using System.Buffers.Binary;
using Vmm.Emulator;
using Vmm.WindowsHypervisor.Simulator;

namespace Vmm.WindowsHypervisor.Tests;

/// <summary>Where releases of the platform differ from each other, and it from real processors, guests and clients see the same.</summary>
public sealed class PlatformDifferenceTests
{
    private const uint X2ApicBit = 1U << 21, TscDeadlineBit = 1U << 24;
    private const int SpuriousVector = 0xF0, TaskPriority = 0x80, Request = 0x210, Timer = 0x320;

    // mov eax, 1; cpuid; hlt - in real mode.
    private static readonly byte[] s_features = [0x66, 0xB8, 0x01, 0x00, 0x00, 0x00, 0x0F, 0xA2, 0xF4];

    [Theory]
    [InlineData(WindowsRelease.Windows11, LocalApicMode.XApic, X2ApicBit | TscDeadlineBit)]
    [InlineData(WindowsRelease.Windows11, LocalApicMode.X2Apic, X2ApicBit | TscDeadlineBit)]
    [InlineData(WindowsRelease.Windows10Version22H2, LocalApicMode.XApic, X2ApicBit)]
    [InlineData(WindowsRelease.Windows10Version22H2, LocalApicMode.X2Apic, X2ApicBit)]
    [InlineData(WindowsRelease.Windows11, LocalApicMode.None, 0U)]
    public void Guest_is_shown_what_the_local_apic_has(WindowsRelease release, LocalApicMode apic, uint shown)
    {
        WindowsHypervisorSimulator simulator = Simulator(release);
        using IPartition partition = Partition(simulator, s_features, out GuestMemory memory, new PartitionOptions { LocalApic = apic });
        using (memory)
        {
            IVirtualProcessor processor = partition.Processors[0];
            RunUntilHalted(processor, apic);
            ((uint)processor[Register.Rcx] & (X2ApicBit | TscDeadlineBit)).Should().Be(shown);
        }
    }

    [Fact]
    public void Deadline_register_is_absent_where_the_timer_takes_none()
    {
        PartitionOptions options = new() { LocalApic = LocalApicMode.X2Apic };
        using IPartition partition = Simulator(WindowsRelease.Windows10Version22H2).CreatePartition(options);
        Action read = () => partition.Processors[0].ReadMsr(0x6E0);
        read.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Every_profile_is_provided_where_features_cannot_be_chosen()
    {
        WindowsHypervisorSimulator simulator = Simulator(WindowsRelease.Windows10Version22H2);
        simulator.Capabilities.CpuProfiles.Should().Equal(Simulator(WindowsRelease.Windows11).Capabilities.CpuProfiles);
        foreach (string name in simulator.Capabilities.CpuProfiles)
        {
            using IPartition partition = simulator.CreatePartition(new PartitionOptions { CpuProfile = CpuProfiles.ByName(name) });
            partition.Processors[0][Register.Rip].Should().Be(0xFFF0UL);
        }
    }

    // The newest release's area is that of a host with AVX-512 and AMX: more than two pages.
    [Theory]
    [InlineData(WindowsRelease.Windows11)]
    [InlineData(WindowsRelease.Windows10Version22H2)]
    public void Extended_state_round_trips_whatever_the_host_has_of_it(WindowsRelease release)
    {
        foreach (CpuProfile profile in new[] { CpuProfiles.V1, CpuProfiles.V3 })
        {
            using IPartition partition = Simulator(release).CreatePartition(new PartitionOptions { CpuProfile = profile });
            IVirtualProcessor processor = partition.Processors[0];
            byte[] area = new byte[processor.XsaveSize], back = new byte[processor.XsaveSize];
            processor.GetXsave(area);
            for (int i = 160; i < 416; i++)
                area[i] = (byte)i;
            area[512] = (byte)(area.Length > 832 - 1 ? 7 : 3);
            for (int i = 576; i < Math.Min(area.Length, 832); i++)
                area[i] = (byte)~i;
            processor.SetXsave(area);
            processor.GetXsave(back);
            back.Should().Equal(area, "profile {0}", profile.Name);
        }
    }

    [Theory]
    [InlineData(LocalApicMode.XApic)]
    [InlineData(LocalApicMode.X2Apic)]
    public void Reset_resets_local_apics_too(LocalApicMode apic)
    {
        PartitionOptions options = new() { LocalApic = apic, ProcessorCount = 2 };
        using IPartition partition = Simulator(WindowsRelease.Windows11).CreatePartition(options);
        foreach (IVirtualProcessor processor in partition.Processors)
        {
            byte[] fresh = new byte[4096], used = new byte[4096], after = new byte[4096];
            processor.GetLocalApic(fresh);
            fresh.CopyTo(used, 0);
            Put(used, SpuriousVector, 0x1EE);
            Put(used, TaskPriority, 0x50);
            Put(used, Request + 0x20, 4);
            Put(used, Timer, 0x2_0040);
            processor[Register.ApicBase] = 0xFEE0_0C00 | (processor[Register.ApicBase] & 0x100);
            processor.SetLocalApic(used);

            partition.Reset(keepMemory: true);

            processor.GetLocalApic(after);
            after.Should().Equal(fresh);
        }
    }

    [Fact]
    public void Doorbells_that_the_platform_does_not_take_together_ring_all_the_same()
    {
        // mov al, 1; mov [0x8000], al; mov ax, 2; mov [0x8000], ax; hlt - in real mode.
        byte[] code = [0xB0, 0x01, 0xA2, 0x00, 0x80, 0xB8, 0x02, 0x00, 0xA3, 0x00, 0x80, 0xF4];
        using IPartition partition = Partition(Simulator(WindowsRelease.Windows11), code, out GuestMemory memory, new PartitionOptions());
        using (memory)
        {
            using AutoResetEvent one = new(false), two = new(false), three = new(false);
            using IDisposable first = partition.Memory.RegisterDoorbell(new Doorbell(0x8000, 1, null), one);
            using IDisposable second = partition.Memory.RegisterDoorbell(new Doorbell(0x8000, 2, null), two);
            using IDisposable third = partition.Memory.RegisterDoorbell(new Doorbell(0x8000, 2, 3), three);
            RunUntilHalted(partition.Processors[0], LocalApicMode.None);
            (one.WaitOne(0), two.WaitOne(0), three.WaitOne(0)).Should().Be((true, true, false));
        }
    }

    [Fact]
    public void Memory_keeps_its_stores_where_a_doorbell_is_put_on_it()
    {
        // mov ax, 7; mov [0x1000], ax; hlt - in real mode.
        byte[] code = [0xB8, 0x07, 0x00, 0xA3, 0x00, 0x10, 0xF4];
        using IPartition partition = Partition(Simulator(WindowsRelease.Windows11), code, out GuestMemory memory, new PartitionOptions());
        using (memory)
        {
            using AutoResetEvent signal = new(false);
            using IDisposable doorbell = partition.Memory.RegisterDoorbell(new Doorbell(0x1000, 2, null), signal);
            RunUntilHalted(partition.Processors[0], LocalApicMode.None);
            byte[] word = new byte[2];
            partition.Memory.Read(0x1000, word);
            word.Should().Equal(7, 0);
        }
    }

    [Fact]
    public void Interrupt_for_nobody_is_lost_without_a_word()
    {
        PartitionOptions options = new() { LocalApic = LocalApicMode.XApic };
        using IPartition partition = Simulator(WindowsRelease.Windows11).CreatePartition(options);
        Action send = () => partition.RequestInterrupt(new InterruptRequest { Vector = 0x40, Destination = 9 });
        send.Should().NotThrow();
    }

    [Fact]
    public void Points_are_set_while_another_processor_runs()
    {
        // inc word [0x1000]; jmp $ - 4 - in real mode.
        byte[] code = [0xFF, 0x06, 0x00, 0x10, 0xEB, 0xFA];
        PartitionOptions options = new() { ProcessorCount = 2 };
        using IPartition partition = Partition(Simulator(WindowsRelease.Windows11), code, out GuestMemory memory, options);
        using (memory)
        {
            Place(partition.Processors[1]);
            using ManualResetEventSlim left = new(false);
            Thread runner = new(() =>
            {
                partition.Processors[1].Run();
                left.Set();
            }) { IsBackground = true };
            runner.Start();
            byte[] count = new byte[2];
            SpinWait.SpinUntil(
                () =>
                {
                    memory.Read(0x1000, count);
                    return count[0] != 0;
                },
                TimeSpan.FromSeconds(10)).Should().BeTrue();
            DebugControl control = new() { Points = [new DebugPoint(DebugPointKind.Execute, 0x500)] };
            Action set = () => partition.Processors[0].Debugging = control;
            set.Should().NotThrow();
            left.IsSet.Should().BeFalse("setting points ends nobody's run");
            partition.Processors[1].Cancel();
            left.Wait(TimeSpan.FromSeconds(10)).Should().BeTrue();
        }
    }

    // The local APIC is the platform's, and what reaches it is stepped there.
    [Theory]
    [InlineData(null)]
    [InlineData(5)]
    [InlineData(6)]
    public void Step_of_an_instruction_that_reaches_the_local_apic_is_one_step(int? seed)
    {
        // mov ecx, 0x808; mov eax, 0x20; xor edx, edx; wrmsr; xor eax, eax; rdmsr; hlt - in real mode, with interrupts on.
        byte[] code =
        [
            0x66, 0xB9, 0x08, 0x08, 0x00, 0x00, 0x66, 0xB8, 0x20, 0x00, 0x00, 0x00, 0x66, 0x31, 0xD2, 0x0F, 0x30, 0x66, 0x31, 0xC0, 0x0F, 0x32, 0xF4,
        ];
        ulong[] ends = [0x506, 0x50C, 0x50F, 0x511, 0x514, 0x516];
        WindowsHypervisorSimulator simulator = new(new EmulatorHypervisor(), new SimulatorOptions { DisturbanceSeed = seed });
        using IPartition partition = Partition(simulator, code, out GuestMemory memory, new PartitionOptions { LocalApic = LocalApicMode.X2Apic });
        using (memory)
        {
            IVirtualProcessor processor = partition.Processors[0];
            processor[Register.Rflags] |= 0x200;
            processor.Debugging = new DebugControl { SingleStep = true };
            foreach (ulong end in ends)
            {
                VpExit exit = processor.Run();
                exit.Kind.Should().Be(ExitKind.Debug, "the step ends at 0x{0:X}", end);
                processor[Register.Rip].Should().Be(end);
                (processor[Register.Rflags] & 0x1_0300).Should().Be(0x200UL, "the flags are the guest's own");
            }
            processor[Register.Rax].Should().Be(0x20UL);
            processor[Register.Cr8].Should().Be(2UL);
        }
        simulator.Faults.Should().BeEmpty();
    }

    [Fact]
    public void Step_of_a_load_from_the_local_apics_page_is_one_step()
    {
        // mov eax, [0x30]; mov dword [0x80], 0x50; hlt - in real mode, the data segment on the page.
        byte[] code = [0x66, 0xA1, 0x30, 0x00, 0x66, 0xC7, 0x06, 0x80, 0x00, 0x50, 0x00, 0x00, 0x00, 0xF4];
        PartitionOptions options = new() { LocalApic = LocalApicMode.XApic };
        using IPartition partition = Partition(Simulator(WindowsRelease.Windows11), code, out GuestMemory memory, options);
        using (memory)
        {
            IVirtualProcessor processor = partition.Processors[0];
            processor.GetState(RegisterGroups.Segments, out ProcessorState state);
            state.Segments.Ds = state.Segments.Ds with { Base = 0xFEE0_0000 };
            processor.SetState(RegisterGroups.Segments, in state);
            processor.Debugging = new DebugControl { SingleStep = true };
            foreach (ulong end in new ulong[] { 0x504, 0x50D })
            {
                processor.Run().Kind.Should().Be(ExitKind.Debug);
                processor[Register.Rip].Should().Be(end);
            }
            (processor[Register.Rax] & 0xF0).Should().Be(0x10UL, "an integrated local APIC");
            processor[Register.Cr8].Should().Be(5UL);
        }
    }

    // Intel's processors enter no guest with such a segment; the last is one that none could have loaded.
    [Theory]
    [InlineData(0x9AU, 0xFFFFU, ExitKind.Halt)]
    [InlineData(0x93U, 0xFFFFU, ExitKind.Halt)]
    [InlineData(0x9BU, 0x1F_FFFFU, ExitKind.Failed)]
    public void Segment_is_as_loaded_when_the_guest_is_entered(uint attributes, uint limit, ExitKind ends)
    {
        using IPartition partition = Partition(Simulator(WindowsRelease.Windows11), [0xF4], out GuestMemory memory, new PartitionOptions());
        using (memory)
        {
            IVirtualProcessor processor = partition.Processors[0];
            processor.GetState(RegisterGroups.Segments, out ProcessorState state);
            state.Segments.Cs = new SegmentDescriptor(0, 0, limit, attributes);
            state.Segments.Ds = state.Segments.Ds with { Attributes = 0x92 };
            processor.SetState(RegisterGroups.Segments, in state);
            VpExit exit = processor.Run();
            exit.Kind.Should().Be(ends);
            if (ends == ExitKind.Failed)
                exit.Failed.Code.Should().Be(5UL, "the platform calls it an invalid value of a register");
        }
    }

    private static WindowsHypervisorSimulator Simulator(WindowsRelease release) =>
        new(new EmulatorHypervisor(), new SimulatorOptions { Release = release });

    private static IPartition Partition(WindowsHypervisorSimulator simulator, byte[] code, out GuestMemory memory, PartitionOptions options)
    {
        IPartition partition = simulator.CreatePartition(options);
        memory = partition.AllocateMemory(0x4000);
        memory.Write(0x500, code);
        partition.Memory.Map(0, memory, 0, 0x4000, GuestAccess.All);
        Place(partition.Processors[0]);
        return partition;
    }

    private static void Place(IVirtualProcessor processor)
    {
        processor.GetState(RegisterGroups.All, out ProcessorState state);
        state.General.Rip = 0x500;
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        processor.SetState(RegisterGroups.All, in state);
    }

    // With a local APIC a halted processor waits inside the platform.
    private static void RunUntilHalted(IVirtualProcessor processor, LocalApicMode apic)
    {
        if (apic == LocalApicMode.None)
        {
            processor.Run().Kind.Should().Be(ExitKind.Halt);
            return;
        }
        using Timer end = new(_ => processor.Cancel(), null, 300, 300);
        processor.Run().Kind.Should().Be(ExitKind.Cancelled);
    }

    private static void Put(byte[] page, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(offset), value);
}
