using Vmm.Core.Tests.Buses;
using Vmm.Testing;

namespace Vmm.Core.Tests.Running;

public sealed class VirtualProcessorLoopTests : IDisposable
{
    private readonly ScriptedPartition _partition = new ScriptedHypervisor().Create();
    private readonly PortBus _ports = new();
    private readonly MmioBus _mmio = new();

    private ScriptedProcessor Processor => _partition.Scripted[0];

    public void Dispose() => _partition.Dispose();

    [Fact]
    public void Port_accesses_reach_the_device_and_reads_are_completed()
    {
        RecordingDevice device = new(0x61);
        _ports.Register(0x3F8, 8, device);
        Processor.Play(ScriptedStep.PortWrite(0x3F8, 1, 0x41), ScriptedStep.PortRead(0x3FD, 1), ScriptedStep.PortRead(0x80, 2), ScriptedStep.Halt);
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        loop.Run().Kind.Should().Be(ExitKind.Halt);
        device.Accesses.Should().Equal("out 3F8 1 41", "in 3FD 1");
        Processor.Completions.Select(completion => (completion.Step, completion.Value)).Should().Equal((1, 0x61UL), (2, 0xFFFFUL));
        loop.HandledExits.Should().Be(3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void String_output_goes_element_by_element(int size)
    {
        RecordingDevice device = new();
        _ports.Register(0x1F0, 1, device);
        byte[] data = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88];
        Processor.Play(ScriptedStep.StringPort(0x1F0, size, isWrite: true, data), ScriptedStep.Halt);
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run();
        string[] expected = size switch
        {
            1 => ["11", "22", "33", "44", "55", "66", "77", "88"],
            2 => ["2211", "4433", "6655", "8877"],
            _ => ["44332211", "88776655"],
        };
        device.Accesses.Should().Equal(expected.Select(value => $"out 1F0 {size} {value}"));
    }

    [Fact]
    public void String_input_fills_the_elements_and_completes_once()
    {
        _ports.Register(0x1F0, 1, new CountingDevice());
        byte[] data = new byte[6];
        Processor.Play(ScriptedStep.StringPort(0x1F0, 2, isWrite: false, data), ScriptedStep.Halt);
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run().Kind.Should().Be(ExitKind.Halt);
        data.Should().Equal(1, 0xA0, 2, 0xA0, 3, 0xA0);
        Processor.Completions.Should().ContainSingle();
    }

    [Fact]
    public void Memory_accesses_reach_the_device()
    {
        RecordingDevice device = new(0x1122_3344_5566_7788);
        _mmio.Register(0xFEC0_0000, 0x1000, device);
        Processor.Play(ScriptedStep.MmioWrite(0xFEC0_0010, 4, 0xCAFE), ScriptedStep.MmioRead(0xFEC0_0020, 3), ScriptedStep.MmioRead(0x1000, 8), ScriptedStep.Halt);
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run();
        device.Accesses.Should().Equal("write 10 4 CAFE", "read 20 3");
        Processor.Completions.Select(completion => completion.Value).Should().Equal(0x66_7788UL, ulong.MaxValue);
    }

    [Fact]
    public void Violating_write_is_discarded_unless_a_handler_decides()
    {
        Processor.Play(ScriptedStep.ViolatingWrite(0xF_0000, 4, 7), ScriptedStep.Halt);
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run();
        Processor.Completions.Single().Resolution.Should().Be(WriteResolution.Discard);

        Processor.Completions.Clear();
        Processor.Rewind();
        ulong seen = 0;
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio)
        {
            ViolatingWrite = (IVirtualProcessor _, in SlatViolationExit violation) =>
            {
                seen = violation.Address;
                return WriteResolution.Perform;
            },
        };
        loop.Run();
        seen.Should().Be(0xF_0000);
        Processor.Completions.Single().Resolution.Should().Be(WriteResolution.Perform);
    }

    [Theory]
    [InlineData(GuestAccess.Execute, false)]
    [InlineData(GuestAccess.Read, false)]
    [InlineData(GuestAccess.Write, true)]
    public void Violation_that_is_no_plain_write_is_returned(GuestAccess access, bool walk)
    {
        VpExit exit = new(new SlatViolationExit { Address = 0x5000, Access = access, PageWalk = walk });
        Processor.Play(ScriptedStep.Of(exit));
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        loop.Run().Should().Be(exit);
        loop.HandledExits.Should().Be(0);
        Processor.Completions.Should().BeEmpty();
    }

    [Fact]
    public void Msr_accesses_go_to_the_handler_and_its_refusal_is_a_fault()
    {
        Processor.Play(
            ScriptedStep.MsrRead(0x10), ScriptedStep.MsrWrite(0x10, 5), ScriptedStep.MsrRead(0x11), ScriptedStep.MsrWrite(0x11, 6), ScriptedStep.Halt);
        OneMsr handler = new();
        new VirtualProcessorLoop(Processor, _ports, _mmio) { Msrs = handler }.Run().Kind.Should().Be(ExitKind.Halt);
        handler.Written.Should().Be(5);
        Processor.Completions.Select(completion => (completion.Step, completion.Kind)).Should().Equal(
            (0, ScriptedCompletionKind.Read), (2, ScriptedCompletionKind.Fault), (3, ScriptedCompletionKind.Fault));
        Processor.Completions[0].Value.Should().Be(0x1234);
    }

    [Fact]
    public void Msr_access_without_a_handler_is_returned_and_can_be_completed_by_the_caller()
    {
        Processor.Play(ScriptedStep.MsrRead(0x10), ScriptedStep.Halt);
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        loop.Run().Kind.Should().Be(ExitKind.Msr);
        Processor.CompleteRead(9);
        loop.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Theory]
    [InlineData(ExitKind.Halt)]
    [InlineData(ExitKind.Shutdown)]
    [InlineData(ExitKind.Hypercall)]
    [InlineData(ExitKind.InterruptWindow)]
    [InlineData(ExitKind.Failed)]
    public void Exit_that_is_not_input_or_output_is_returned(ExitKind kind)
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 1), ScriptedStep.Of(new VpExit(kind)));
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run().Kind.Should().Be(kind);
    }

    [Fact]
    public void TryFinishPending_goes_through_all_further_exits_and_starts_nothing_new()
    {
        RecordingDevice device = new();
        _mmio.Register(0x1000, 0x2000, device);
        Processor.Play(
            ScriptedStep.MmioWrite(0x1FFE, 2, 1, continues: true), ScriptedStep.MmioRead(0x2000, 8, continues: true), ScriptedStep.MmioWrite(0x2008, 1, 3),
            ScriptedStep.MmioWrite(0x1000, 1, 9));
        VpExit first = Processor.Run();
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        loop.TryHandle(in first).Should().BeTrue();
        loop.TryFinishPending(out VpExit unhandled).Should().BeTrue();
        unhandled.Kind.Should().Be(ExitKind.None);
        Processor.IsPending.Should().BeFalse();
        device.Accesses.Should().Equal("write FFE 2 1", "read 1000 8", "write 1008 1 3");
        loop.TryFinishPending(out _).Should().BeTrue();
    }

    [Fact]
    public void TryFinishPending_hands_back_what_it_cannot_handle()
    {
        Processor.Play(ScriptedStep.MmioWrite(0x1FFE, 2, 1, continues: true), ScriptedStep.MsrRead(0x10));
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        VpExit first = Processor.Run();
        loop.TryHandle(in first);
        loop.TryFinishPending(out VpExit unhandled).Should().BeFalse();
        unhandled.Kind.Should().Be(ExitKind.Msr);
        Processor.CompleteRead(1);
        loop.TryFinishPending(out _).Should().BeTrue();
    }

    [Fact]
    public async Task Token_ends_a_run_that_waits_in_the_guest()
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 0), ScriptedStep.Wait);
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        using CancellationTokenSource source = new();
        Task<VpExit> run = Task.Run(() => loop.Run(source.Token));
        await Task.Delay(20);
        run.IsCompleted.Should().BeFalse();
        await source.CancelAsync();
        (await run.WaitAsync(TimeSpan.FromSeconds(10))).Kind.Should().Be(ExitKind.Cancelled);
        Processor.WithdrawCancel().Should().BeFalse();
    }

    [Fact]
    public void Token_that_comes_too_late_for_a_run_does_not_end_the_next_one()
    {
        using CancellationTokenSource source = new();
        using IPartition partition = new LateHypervisor(new ScriptedHypervisor(), source.Cancel).CreatePartition(new());
        IVirtualProcessor processor = partition.Processors[0];
        new VirtualProcessorLoop(processor, _ports, _mmio).Run(source.Token).Kind.Should().Be(ExitKind.Halt);
        processor.WithdrawCancel().Should().BeFalse();
    }

    [Fact]
    public void Token_cancelled_before_the_run_ends_it_at_once()
    {
        Processor.Play(ScriptedStep.PortWrite(0x80, 1, 0));
        new VirtualProcessorLoop(Processor, _ports, _mmio).Run(new CancellationToken(true)).Kind.Should().Be(ExitKind.Cancelled);
        Processor.Played.Should().Be(0);
    }

    [Fact]
    public void Exception_of_a_device_passes_through_and_leaves_the_access_to_the_caller()
    {
        _ports.Register(0x60, 1, new BrokenDevice());
        Processor.Play(ScriptedStep.PortRead(0x60, 1), ScriptedStep.Halt);
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio);
        loop.Invoking(l => l.Run()).Should().Throw<InvalidDataException>();
        Processor.IsPending.Should().BeTrue();
        Processor.CompleteRead(0);
        loop.Run().Kind.Should().Be(ExitKind.Halt);
    }

    [Fact]
    public void Run_allocates_nothing_per_exit()
    {
        _ports.Register(0x3F8, 8, new CountingDevice());
        _mmio.Register(0x1000, 0x1000, new QuietMmio());
        byte[] data = new byte[8];
        Processor.Play(
            ScriptedStep.PortWrite(0x3F8, 1, 1), ScriptedStep.PortRead(0x3F8, 1), ScriptedStep.StringPort(0x3F8, 2, true, data),
            ScriptedStep.StringPort(0x3F8, 2, false, data), ScriptedStep.MmioWrite(0x1000, 8, 1), ScriptedStep.MmioRead(0x1000, 4),
            ScriptedStep.ViolatingWrite(0xF_0000, 1, 1), ScriptedStep.MsrRead(1), ScriptedStep.MsrWrite(1, 1), ScriptedStep.Halt);
        VirtualProcessorLoop loop = new(Processor, _ports, _mmio) { Msrs = new OneMsr() };
        AllocationMeter.Of(() =>
        {
            Processor.Completions.Clear();
            Processor.Rewind();
            loop.Run();
        }).Should().Be(0);
        loop.HandledExits.Should().BeGreaterThan(9 * 1000);
    }

    private sealed class CountingDevice : IPortDevice
    {
        private uint _reads;

        public uint Read(ushort port, int size) => 0xA000 | ++_reads;

        public void Write(ushort port, int size, uint value)
        {
        }
    }

    private sealed class QuietMmio : IMmioDevice
    {
        public ulong Read(ulong offset, int size) => offset;

        public void Write(ulong offset, int size, ulong value)
        {
        }
    }

    private sealed class BrokenDevice : IPortDevice
    {
        public uint Read(ushort port, int size) => throw new InvalidDataException("broken");

        public void Write(ushort port, int size, uint value) => throw new InvalidDataException("broken");
    }

    private sealed class OneMsr : IMsrHandler
    {
        internal ulong Written { get; private set; }

        public bool TryRead(IVirtualProcessor processor, uint msr, out ulong value)
        {
            value = 0x1234;
            return msr != 0x11;
        }

        public bool TryWrite(IVirtualProcessor processor, uint msr, ulong value)
        {
            if (msr == 0x11)
                return false;
            Written = value;
            return true;
        }
    }

    /// <summary>Calls somebody between the end of each run and its caller.</summary>
    private sealed class LateHypervisor(IHypervisor behind, Action late) : DecoratedHypervisor(behind)
    {
        protected override IPartition Decorate(IPartition partition) => new LatePartition(this, partition, late);
    }

    private sealed class LatePartition(LateHypervisor hypervisor, IPartition behind, Action late) : DecoratedPartition(hypervisor, behind)
    {
        protected override IVirtualProcessor Decorate(IVirtualProcessor processor) => new LateProcessor(this, processor, late);
    }

    private sealed class LateProcessor(LatePartition partition, IVirtualProcessor behind, Action late) : DecoratedProcessor(partition, behind)
    {
        public override VpExit Run()
        {
            VpExit exit = base.Run();
            late();
            return exit;
        }
    }
}
