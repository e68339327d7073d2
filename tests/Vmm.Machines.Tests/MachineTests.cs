using System.Text;
using Vmm.Devices;
using Vmm.Testing;

namespace Vmm.Machines.Tests;

/// <summary>The machine over a backend that plays scripts of exits: what reaches the devices, and how a run ends.</summary>
public sealed class MachineTests : IAsyncLifetime
{
    private const ushort DebugPort = 0xF4;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly VirtualClock _clock = new(new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero));
    private readonly List<byte> _sent = [];
    private Machine _machine = null!;

    private ScriptedProcessor Processor => ((ScriptedPartition)_machine.Partition).Scripted[0];

    public Task InitializeAsync()
    {
        _machine = Build();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _machine.DisposeAsync();

    private Machine Build(Func<MachineOptions, MachineOptions>? change = null, IHypervisor? hypervisor = null)
    {
        MachineOptions options = new()
        {
            Image = new FlatImage(new byte[] { 0xF4 }, 0x7C00),
            MemorySize = 4 << 20,
            SerialOutput = data => _sent.AddRange(data),
            DebugExitPort = DebugPort,
            Clock = _clock,
        };
        return new Machine(hypervisor ?? new ScriptedHypervisor(), change?.Invoke(options) ?? options);
    }

    private async Task<MachineOutcome> RunAsync(CancellationToken cancellationToken = default) =>
        await _machine.RunAsync(cancellationToken).WaitAsync(s_patience, CancellationToken.None);

    private static ScriptedStep Out(ushort port, uint value) => ScriptedStep.PortWrite(port, 1, value);

    private void EnableInterrupts() => Processor[Register.Rflags] |= 0x200;

    [Fact]
    public void Options_that_cannot_be_are_refused_by_name()
    {
        Action small = () => Build(options => options with { MemorySize = 5 });
        small.Should().Throw<ArgumentOutOfRangeException>().WithMessage("*from 1 MiB*to 1 TiB*");
        Action none = () => Build(options => options with { Virtio = null! });
        none.Should().Throw<ArgumentException>().WithMessage("Virtio is null*");
    }

    [Fact]
    public void Image_is_in_memory_and_the_processor_at_its_entry()
    {
        byte[] read = new byte[1];
        _machine.Partition.Memory.Read(0x7C00, read);
        read.Should().Equal(0xF4);
        Processor[Register.Rip].Should().Be(0x7C00);
        Processor.GetState(RegisterGroups.Segments | RegisterGroups.Control, out ProcessorState state);
        state.Segments.Cs.Should().Be(SegmentDescriptor.RealModeCode(0));
        state.Segments.Ss.Base.Should().Be(0);
        (state.Control.Cr0 & 0x8000_0001).Should().Be(0);
    }

    [Fact]
    public async Task Linux_image_starts_in_long_mode_through_the_registers()
    {
        await using Machine machine = Build(options => options with { Image = new KernelImage(Images.Linux()), MemorySize = 64 << 20 });
        IVirtualProcessor processor = machine.Partition.Processors[0];
        processor.GetState(RegisterGroups.Registers, out ProcessorState state);
        state.General.Rip.Should().Be(Images.LinuxAddress + 0x200);
        state.Control.Efer.Should().Be(0x500);
        state.Segments.Cs.Should().Be(SegmentDescriptor.Code64(0x10));
        state.Segments.Fs.Should().Be(SegmentDescriptor.FlatData(0x18));
        state.Segments.Gdtr.Limit.Should().Be(47);
        byte[] magic = new byte[4];
        machine.Partition.Memory.Read(state.General.Rsi + 0x202, magic);
        Encoding.ASCII.GetString(magic).Should().Be("HdrS");
    }

    [Fact]
    public void Image_that_cannot_be_loaded_is_the_constructors_error() =>
        FluentActions.Invoking(() => Build(options => options with { Image = new KernelImage("junk"u8.ToArray()) }))
            .Should().Throw<ImageLoadException>();

    public static TheoryData<string, Func<MachineOptions, MachineOptions>> Unbuildable { get; } = new()
    {
        { "a port that is taken", options => options with { DebugExitPort = 0x20 } },
        { "an image that cannot be loaded", options => options with { Image = new KernelImage("junk"u8.ToArray()) } },
        { "a client's mistake in the tables", options => options with { DescribeDevices = static _ => throw new ArgumentException("No such device.") } },
        {
            "the same beside firmware",
            options => options with { Image = null, Firmware = new FirmwareImage(new byte[1 << 16]), DescribeDevices = static _ => throw new ArgumentException("No such device.") }
        },
    };

    [Theory]
    [MemberData(nameof(Unbuildable))]
    public void Machine_that_cannot_be_built_leaves_no_partition_behind(string why, Func<MachineOptions, MachineOptions> change)
    {
        RecordingHypervisor hypervisor = new();
        FluentActions.Invoking(() => Build(change, hypervisor)).Should().Throw<Exception>(why);
        IPartition partition = hypervisor.Partitions.Should().ContainSingle().Subject;
        partition.Invoking(left => left.Processors[0].Run()).Should().Throw<ObjectDisposedException>(why);
    }

    [Fact]
    public void Several_processors_need_local_apics() =>
        FluentActions.Invoking(() => Build(options => options with { ProcessorCount = 2 }))
            .Should().Throw<NotSupportedException>().WithMessage("*local-apic*");

    [Fact]
    public async Task Ram_above_3_GiB_is_mapped_from_4_GiB()
    {
        await using Machine machine = Build(options => options with { MemorySize = 5ul << 30 });
        machine.Partition.Memory.Regions.Select(region => (region.Address, region.Length))
            .Should().Equal((0ul, 3ul << 30), (4ul << 30, 2ul << 30));
        machine.Ports.Write(0x70, 1, 0x5C);
        machine.Ports.Read(0x71, 1).Should().Be(0x80, "2 GiB are 0x8000 blocks of 64 KiB");
    }

    [Fact]
    public async Task Serial_output_reaches_the_sink_and_debug_exit_ends_the_run()
    {
        Processor.Play(Out(0x3F8, 'h'), Out(0x3F8, 'i'), Out(DebugPort, 0x2A), Out(0x3F8, '!'));
        MachineOutcome outcome = await RunAsync();
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(0x2A);
        Encoding.ASCII.GetString(_sent.ToArray()).Should().Be("hi");
    }

    [Theory]
    [InlineData(0x64, 0xFE), InlineData(0x92, 0x01), InlineData(0xCF9, 0x06)]
    public async Task Reset_request_ends_the_run(int port, uint value)
    {
        Processor.Play(Out((ushort)port, value), Out(0x3F8, '!'));
        (await RunAsync()).Kind.Should().Be(MachineOutcomeKind.Reset);
        _sent.Should().BeEmpty();
    }

    [Fact]
    public async Task Host_may_switch_the_power_off()
    {
        EnableInterrupts();
        Processor.Play(ScriptedStep.Wait);
        Task<MachineOutcome> run = RunAsync();
        _machine.Power.Request(new PowerEvent(PowerEventKind.PowerOff, "button"));
        MachineOutcome outcome = await run;
        outcome.Kind.Should().Be(MachineOutcomeKind.PoweredOff);
        outcome.Source.Should().Be("button");
    }

    [Fact]
    public async Task Unassigned_ports_read_all_ones()
    {
        Processor.Play(
            ScriptedStep.PortRead(0xCFC, 4), ScriptedStep.PortRead(0x1234, 2), ScriptedStep.PortRead(0x2F8, 1), Out(DebugPort, 0));
        await RunAsync();
        Processor.Completions.Select(completion => completion.Value).Should().Equal(0xFFFF_FFFFul, 0xFFFFul, 0xFFul);
    }

    [Fact]
    public async Task Triple_fault_ends_the_run()
    {
        Processor.Play(ScriptedStep.Of(new VpExit(ExitKind.Shutdown)));
        MachineOutcome outcome = await RunAsync();
        outcome.Kind.Should().Be(MachineOutcomeKind.TripleFault);
        outcome.Exit.Kind.Should().Be(ExitKind.Shutdown);
    }

    [Fact]
    public async Task Failure_ends_the_run_with_its_details()
    {
        Processor.Play(ScriptedStep.Of(new VpExit(new FailedExit { Code = 0x77 })));
        MachineOutcome outcome = await RunAsync();
        outcome.Kind.Should().Be(MachineOutcomeKind.Failed);
        outcome.Exit.Failed.Code.Should().Be(0x77);
    }

    [Fact]
    public async Task Fetch_from_where_nothing_is_ends_the_run_as_a_failure()
    {
        Processor.Play(ScriptedStep.Of(new VpExit(new SlatViolationExit { Address = 0xD000_0000, Access = GuestAccess.Execute })));
        MachineOutcome outcome = await RunAsync();
        outcome.Kind.Should().Be(MachineOutcomeKind.Failed);
        outcome.ToString().Should().Contain("SlatViolation");
    }

    [Fact]
    public async Task Halt_with_interrupts_off_is_for_ever() => (await RunAsync()).Kind.Should().Be(MachineOutcomeKind.AllHalted);

    [Fact]
    public async Task Halt_with_interrupts_on_and_nothing_armed_is_for_ever()
    {
        EnableInterrupts();
        (await RunAsync()).Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Halt_with_interrupts_on_waits_where_the_host_may_type()
    {
        await _machine.DisposeAsync();
        _machine = Build(options => options with { HasSerialInput = true });
        EnableInterrupts();
        using CancellationTokenSource source = new();
        Task<MachineOutcome> run = RunAsync(source.Token);
        await Task.Delay(100);
        run.IsCompleted.Should().BeFalse();
        await source.CancelAsync();
        (await run).Kind.Should().Be(MachineOutcomeKind.Cancelled);
    }

    [Fact]
    public async Task Timer_interrupt_reaches_the_processor_and_wakes_a_halt()
    {
        EnableInterrupts();
        InitializeInterruptControllers();
        // Channel 0, mode 0, 0x1000 ticks: 3.4 milliseconds.
        Processor.Play(Out(0x43, 0x30), Out(0x40, 0x00), Out(0x40, 0x10));
        Task<MachineOutcome> run = RunAsync();
        DateTime limit = DateTime.UtcNow + s_patience;
        while (_clock.NextDeadline is null && DateTime.UtcNow < limit)
            await Task.Yield();
        Processor.Delivered.Should().BeEmpty();
        _clock.AdvanceTo(_clock.NextDeadline!.Value);
        (await run).Kind.Should().Be(MachineOutcomeKind.AllHalted, "nothing is armed after the one interrupt");
        Processor.Delivered.Should().Equal(InjectedEvent.Interrupt(0x20));
    }

    [Fact]
    public async Task Typed_byte_interrupts_and_is_read()
    {
        await _machine.DisposeAsync();
        _machine = Build(options => options with { HasSerialInput = true });
        EnableInterrupts();
        InitializeInterruptControllers();
        Processor.Play(Out(0x3FC, 0x0B), Out(0x3F9, 0x01), ScriptedStep.Wait, ScriptedStep.PortRead(0x3F8, 1), Out(DebugPort, 0));
        Task<MachineOutcome> run = RunAsync();
        await _machine.Serial.ReceiveAsync("x"u8.ToArray());
        (await run).Kind.Should().Be(MachineOutcomeKind.DebugExit);
        Processor.Delivered.Should().Equal(InjectedEvent.Interrupt(0x24));
        Processor.Completions.Should().ContainSingle().Which.Value.Should().Be('x');
    }

    [Fact]
    public async Task Cancelled_run_goes_on_when_run_again_and_an_ended_one_does_not()
    {
        EnableInterrupts();
        Processor.Play(ScriptedStep.Wait, Out(DebugPort, 1));
        using CancellationTokenSource source = new(50);
        (await RunAsync(source.Token)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
        Task<MachineOutcome> run = RunAsync();
        await _machine.Invoking(machine => machine.RunAsync()).Should().ThrowAsync<InvalidOperationException>().WithMessage("*is running*");
        Processor.Inject(InjectedEvent.Interrupt(0x40));
        (await run).Kind.Should().Be(MachineOutcomeKind.DebugExit);
        await _machine.Invoking(machine => machine.RunAsync()).Should().ThrowAsync<InvalidOperationException>().WithMessage("*has ended*");
    }

    [Fact]
    public async Task Dispose_ends_a_run()
    {
        EnableInterrupts();
        Processor.Play(ScriptedStep.Wait);
        Task<MachineOutcome> run = RunAsync();
        await _machine.DisposeAsync();
        (await run).Kind.Should().Be(MachineOutcomeKind.Cancelled);
        await _machine.Invoking(machine => machine.RunAsync()).Should().ThrowAsync<ObjectDisposedException>();
    }

    [Fact]
    public async Task Dispose_from_a_device_does_not_deadlock()
    {
        _machine.Ports.Register(0x500, 1, new CallingDevice(_machine.Dispose));
        Processor.Play(Out(0x500, 0));
        (await RunAsync()).Kind.Should().Be(MachineOutcomeKind.Cancelled);
    }

    [Fact]
    public async Task Exception_of_a_device_comes_out_of_the_run()
    {
        _machine.Ports.Register(0x500, 1, new CallingDevice(() => throw new IOException("the pipe is broken")));
        Processor.Play(Out(0x500, 0));
        await this.Invoking(test => test.RunAsync()).Should().ThrowAsync<IOException>().WithMessage("the pipe is broken");
    }

    private void InitializeInterruptControllers() => Processor.Play(
        Out(0x20, 0x11), Out(0x21, 0x20), Out(0x21, 0x04), Out(0x21, 0x01),
        Out(0xA0, 0x11), Out(0xA1, 0x28), Out(0xA1, 0x02), Out(0xA1, 0x01));

    private sealed class CallingDevice(Action action) : IPortDevice
    {
        public uint Read(ushort port, int size) => 0;

        public void Write(ushort port, int size, uint value) => action();
    }

    private sealed class RecordingHypervisor() : DecoratedHypervisor(new ScriptedHypervisor())
    {
        public List<IPartition> Partitions { get; } = [];

        protected override IPartition Decorate(IPartition partition)
        {
            Partitions.Add(partition);
            return partition;
        }
    }
}
