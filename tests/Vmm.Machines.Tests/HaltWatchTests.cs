using Vmm.Testing;

namespace Vmm.Machines.Tests;

/// <summary>Machines on a backend that waits at HLT inside: whether it is noticed that nothing will ever run again.</summary>
public sealed class HaltWatchTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_while = TimeSpan.FromMilliseconds(900);

    private static Machine Build(int processors, bool hostEvents = false) => new(new WaitingHypervisor(), new MachineOptions
    {
        Image = new FlatImage(new byte[] { 0xF4 }, 0x7C00),
        MemorySize = 1 << 20,
        ProcessorCount = processors,
        HasHostEvents = hostEvents,
    });

    private static ScriptedProcessor Set(Machine machine, int index, ProcessorActivity activity, bool interrupts, bool nmi = false)
    {
        ScriptedProcessor processor = (ScriptedProcessor)machine.Partition.Processors[index];
        processor.Play(ScriptedStep.Wait);
        processor.GetState(RegisterGroups.General | RegisterGroups.Events, out ProcessorState state);
        state.General.Rflags = interrupts ? 0x202ul : 2;
        state.Events.Activity = activity;
        state.Events.NmiPending = nmi;
        processor.SetState(RegisterGroups.General | RegisterGroups.Events, in state);
        return processor;
    }

    [Fact]
    public async Task Machine_prefers_the_backends_local_apics()
    {
        await using Machine machine = Build(1);
        machine.Partition.Options.LocalApic.Should().Be(LocalApicMode.XApic);
        machine.Partition.ExternalInterruptSource.Should().BeSameAs(machine.Interrupts.Pic);
    }

    [Theory]
    [InlineData(1), InlineData(3)]
    public async Task All_halted_with_interrupts_off_or_waiting_to_be_started_ends_the_run(int processors)
    {
        await using Machine machine = Build(processors);
        Set(machine, 0, ProcessorActivity.Halted, interrupts: false);
        for (int index = 1; index < processors; index++)
            Set(machine, index, index == 1 ? ProcessorActivity.WaitForSipi : ProcessorActivity.Halted, interrupts: false);
        MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
        outcome.Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Theory]
    [InlineData(ProcessorActivity.Running, false)]
    [InlineData(ProcessorActivity.Halted, true)]
    public async Task One_that_may_run_on_keeps_the_run_going(ProcessorActivity activity, bool interrupts)
    {
        await using Machine machine = Build(2, hostEvents: interrupts);
        Set(machine, 0, ProcessorActivity.Halted, interrupts: false);
        Set(machine, 1, activity, interrupts);
        using CancellationTokenSource source = new();
        Task<MachineOutcome> run = machine.RunAsync(source.Token);
        await Task.Delay(s_while);
        run.IsCompleted.Should().BeFalse();
        await source.CancelAsync();
        (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
    }

    [Fact]
    public async Task Halted_with_interrupts_on_and_nothing_to_send_one_ends_the_run()
    {
        await using Machine machine = Build(2);
        Set(machine, 0, ProcessorActivity.Halted, interrupts: false);
        Set(machine, 1, ProcessorActivity.Halted, interrupts: true);
        (await machine.RunAsync().WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Processor_busy_in_a_device_does_not_hold_the_others_up()
    {
        using ManualResetEventSlim release = new();
        await using Machine machine = Build(2);
        machine.Ports.Register(0x500, 1, new BlockingDevice(release));
        ScriptedProcessor busy = Set(machine, 0, ProcessorActivity.Running, interrupts: true);
        busy.Script.Clear();
        busy.Play(ScriptedStep.PortWrite(0x500, 1, 0), ScriptedStep.PortWrite(0xCF9, 1, 6));
        Set(machine, 1, ProcessorActivity.Halted, interrupts: false);
        Task<MachineOutcome> run = machine.RunAsync();
        await Task.Delay(s_while);
        run.IsCompleted.Should().BeFalse();
        release.Set();
        (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Reset);
    }

    [Fact]
    public async Task Nmi_that_waits_is_no_end()
    {
        await using Machine machine = Build(1);
        ScriptedProcessor processor = Set(machine, 0, ProcessorActivity.Halted, interrupts: false, nmi: true);
        HaltWatch.IsWaitingForever(processor).Should().BeFalse();
        Set(machine, 0, ProcessorActivity.Halted, interrupts: false);
        HaltWatch.IsWaitingForever(processor).Should().BeTrue();
    }

    private sealed class BlockingDevice(ManualResetEventSlim release) : IPortDevice
    {
        public uint Read(ushort port, int size) => 0;

        public void Write(ushort port, int size, uint value) => release.Wait(s_patience);
    }
}
