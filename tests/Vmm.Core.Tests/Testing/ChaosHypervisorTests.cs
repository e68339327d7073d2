using Vmm.Testing;

namespace Vmm.Core.Tests.Testing;

/// <summary>The chaos decorator: what it does is what was asked for, and a seed repeats it.</summary>
public sealed class ChaosHypervisorTests
{
    private const ulong Code = 0x1000;
    private const int Runs = 2000;

    // Real mode: out 0x10, al; jmp back to it.
    private static readonly byte[] s_writing = [0xE6, 0x10, 0xEB, 0xFC];

    // jmp to itself.
    private static readonly byte[] s_spinning = [0xEB, 0xFE];

    private static IPartition Create(ChaosHypervisor hypervisor, byte[] code)
    {
        IPartition partition = hypervisor.CreatePartition(new());
        GuestMemory memory = partition.AllocateMemory(0x2000);
        partition.Memory.Map(0, memory, 0, 0x2000, GuestAccess.All);
        partition.Memory.Write(Code, code);
        partition.Processors[0].GetState(RegisterGroups.General | RegisterGroups.Segments, out ProcessorState state);
        state.General.Rip = Code;
        state.Segments.Cs = SegmentDescriptor.RealModeCode(0);
        partition.Processors[0].SetState(RegisterGroups.General | RegisterGroups.Segments, in state);
        return partition;
    }

    private static List<ExitKind> Kinds(ChaosOptions options)
    {
        using IPartition partition = Create(new ChaosHypervisor(Hypervisors.Emulator(), options), s_writing);
        return [.. Enumerable.Range(0, 300).Select(_ => partition.Processors[0].Run().Kind)];
    }

    [Fact]
    public void Without_disturbances_it_is_the_backend_behind()
    {
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), new());
        DeepProbe.Run(hypervisor).Should().Be(ProbeResult.Available);
        using IPartition partition = Create(hypervisor, s_writing);
        for (int i = 0; i < 100; i++)
            partition.Processors[0].Run().Kind.Should().Be(ExitKind.PortIo);
        hypervisor.Counts.Should().Be(new ChaosCounts());
    }

    public static TheoryData<ChaosOptions, ExitKind, Func<ChaosCounts, long>> Disturbances { get; } = new()
    {
        { new() { SpuriousCancels = 0.25 }, ExitKind.Cancelled, counts => counts.SpuriousCancels },
        { new() { EarlyInterruptWindows = 0.25 }, ExitKind.InterruptWindow, counts => counts.EarlyInterruptWindows },
        { new() { AbortedRuns = 0.25 }, ExitKind.Failed, counts => counts.AbortedRuns },
    };

    [Theory]
    [MemberData(nameof(Disturbances))]
    public void Disturbance_comes_as_often_as_asked_and_no_other_comes(ChaosOptions options, ExitKind kind, Func<ChaosCounts, long> count)
    {
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), options);
        using IPartition partition = Create(hypervisor, s_writing);
        IVirtualProcessor processor = partition.Processors[0];
        int seen = 0;
        for (int i = 0; i < Runs; i++)
        {
            VpExit exit = processor.Run();
            exit.Kind.Should().BeOneOf(kind, ExitKind.PortIo);
            if (exit.Kind != kind)
                continue;
            seen++;
            processor.IsPending.Should().BeFalse();
            processor[Register.Rip].Should().BeOneOf(Code, Code + 2);
            processor[Register.Rip] = Code;
        }
        // Five standard deviations of 2000 draws at a quarter.
        seen.Should().BeInRange((Runs / 4) - 97, (Runs / 4) + 97);
        ChaosCounts counts = hypervisor.Counts;
        count(counts).Should().Be(seen);
        (counts.SpuriousCancels + counts.EarlyInterruptWindows + counts.ShortRuns + counts.CancelStorms + counts.HiddenCancels + counts.AbortedRuns + counts.RefusedMemory)
            .Should().Be(seen);
    }

    [Fact]
    public void Same_seed_repeats_and_another_does_not()
    {
        ChaosOptions options = new() { Seed = 7, SpuriousCancels = 0.2, EarlyInterruptWindows = 0.2 };
        List<ExitKind> first = Kinds(options);
        first.Should().Contain(ExitKind.Cancelled).And.Contain(ExitKind.InterruptWindow).And.Contain(ExitKind.PortIo);
        Kinds(options).Should().Equal(first);
        Kinds(options with { Seed = 8 }).Should().NotEqual(first);
        // One disturbance more takes nothing of another away.
        List<ExitKind> windows = Kinds(options with { SpuriousCancels = 0 });
        windows.Should().Contain(ExitKind.InterruptWindow).And.NotContain(ExitKind.Cancelled);
    }

    [Fact]
    public void Client_s_cancel_is_neither_lost_nor_doubled_in_storms()
    {
        const int Cancels = 200;
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), new() { Seed = 3, CancelStorms = 1 });
        using IPartition partition = Create(hypervisor, s_spinning);
        IVirtualProcessor processor = partition.Processors[0];
        using SemaphoreSlim start = new(0);
        Thread client = new(() =>
        {
            for (int i = 0; i < Cancels; i++)
            {
                start.Wait();
                Thread.SpinWait(10 * i);
                processor.Cancel();
            }
        });
        client.Start();
        for (int i = 0; i < Cancels; i++)
        {
            start.Release();
            processor.Run().Kind.Should().Be(ExitKind.Cancelled);
        }
        client.Join();
        processor.WithdrawCancel().Should().BeFalse("each was shown");
        processor.Counters.Exits[(int)ExitKind.Cancelled].Should().Be(Cancels);
        hypervisor.Counts.CancelStorms.Should().Be(Cancels);
        hypervisor.Counts.HiddenCancels.Should().BeGreaterThan(Cancels / 2);
    }

    [Fact]
    public void Short_runs_end_a_guest_that_never_exits()
    {
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), new() { ShortRuns = 1, LongestDelay = TimeSpan.FromMilliseconds(0.2) });
        using IPartition partition = Create(hypervisor, s_spinning);
        for (int i = 0; i < 50; i++)
            partition.Processors[0].Run().Kind.Should().Be(ExitKind.Cancelled);
        hypervisor.Counts.ShortRuns.Should().Be(50);
        partition.Processors[0].Counters.Instructions.Should().BeGreaterThan(1000, "the guest ran in between");
    }

    [Fact]
    public void Aborted_processor_does_not_run_until_it_is_set_or_reset()
    {
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), new() { AbortedRuns = 1 });
        using IPartition partition = Create(hypervisor, s_writing);
        IVirtualProcessor processor = partition.Processors[0];
        VpExit exit = processor.Run();
        exit.Failed.Code.Should().Be(ChaosHypervisor.AbortCode);
        processor.Invoking(p => p.Run()).Should().Throw<InvalidOperationException>();
        partition.Reset(keepMemory: true);
        processor.Run().Kind.Should().Be(ExitKind.Failed);
    }

    [Fact]
    public void Refused_memory_is_a_typed_error_and_leaves_nothing_mapped()
    {
        ChaosHypervisor hypervisor = new(Hypervisors.Emulator(), new() { Seed = 1, RefusedMemory = 0.5 });
        using IPartition partition = hypervisor.CreatePartition(new());
        using GuestMemory memory = Hypervisors.Emulator().CreatePartition(new()).AllocateMemory(0x1000);
        int refused = 0;
        for (ulong address = 0; address < 64 * 0x1000; address += 0x1000)
        {
            try
            {
                partition.Memory.Map(address, memory, 0, 0x1000, GuestAccess.All);
            }
            catch (HypervisorException e)
            {
                refused++;
                e.Operation.Should().Be("Map");
                e.NativeCode.Should().Be(ChaosHypervisor.AbortCode);
                e.Message.Should().Contain("on purpose");
                partition.Memory.TryGetSpan(address, 1, false, out _).Should().BeFalse();
            }
        }
        refused.Should().BeInRange(12, 52);
        hypervisor.Counts.RefusedMemory.Should().Be(refused);
    }

    [Theory]
    [InlineData(-0.1, 1), InlineData(1.1, 1), InlineData(double.NaN, 1), InlineData(0.5, 0), InlineData(0.5, 2000)]
    public void Options_out_of_range_are_refused(double probability, int milliseconds)
    {
        ChaosOptions options = new() { ShortRuns = probability, LongestDelay = TimeSpan.FromMilliseconds(milliseconds) };
        FluentActions.Invoking(() => new ChaosHypervisor(Hypervisors.Emulator(), options)).Should().Throw<ArgumentException>();
    }
}
