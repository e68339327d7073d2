using System.Text;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Deterministic machines: what one run did, every other does, to the instruction.</summary>
public sealed class DeterministicMachineTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly record struct Trace(MachineOutcomeKind Kind, uint Value, string Sent, ulong Instructions, ulong Time);

    private static MachineOptions Options(byte[] image, StringBuilder sent, DeterministicOptions? deterministic = null) => new()
    {
        Image = new KernelImage(image),
        MemorySize = 8 << 20,
        DebugExitPort = 0xF4,
        Deterministic = deterministic ?? new(),
        SerialOutput = data => sent.Append(Encoding.Latin1.GetString(data)),
    };

    private static async Task<Trace> RunAsync(byte[] image, DeterministicOptions? deterministic = null)
    {
        StringBuilder sent = new();
        await using Machine machine = new(new EmulatorHypervisor(), Options(image, sent, deterministic));
        return await FinishAsync(machine, machine.RunAsync(), sent);
    }

    private static async Task<Trace> FinishAsync(Machine machine, Task<MachineOutcome> run, StringBuilder sent)
    {
        MachineOutcome outcome = await run.WaitAsync(s_patience);
        return new(outcome.Kind, outcome.Value, sent.ToString(), machine.Partition.Processors[0].Counters.Instructions, machine.Partition.VirtualTime!.Nanoseconds);
    }

    [Fact]
    public async Task Two_runs_are_the_same_to_the_instruction()
    {
        byte[] image = TimedGuests.Ticker();
        Trace first = await RunAsync(image);
        first.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        first.Sent.Should().HaveLength(80);
        (await RunAsync(image)).Should().Be(first);
        // Setting the mode raises the output once; then 39 periods of 1193 / 1.193182 MHz, and a few instructions.
        first.Time.Should().BeInRange(38_994_000, 38_998_000);
    }

    [Fact]
    public async Task Quantum_of_one_processor_changes_nothing_that_the_guest_sees()
    {
        byte[] image = TimedGuests.Ticker();
        Trace coarse = await RunAsync(image, new() { Quantum = 1_000_000 });
        Trace fine = await RunAsync(image, new() { Quantum = 300 });
        fine.Sent.Should().HaveLength(coarse.Sent.Length);
        (await RunAsync(image, new() { Quantum = 300 })).Should().Be(fine);
    }

    [Fact]
    public async Task Input_that_was_noted_repeats_the_run()
    {
        byte[] image = TimedGuests.Echo();
        StringBuilder sent = new();
        await using Machine machine = new(new EmulatorHypervisor(), Options(image, sent) with { HasSerialInput = true });
        Task<MachineOutcome> run = machine.RunAsync();
        foreach (byte[] typed in (byte[][])[[(byte)'h'], "el"u8.ToArray(), "lo."u8.ToArray()])
        {
            await Task.Delay(15);
            await machine.ReceiveAsync(typed);
        }
        Trace first = await FinishAsync(machine, run, sent);
        first.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        machine.InputLog.Should().HaveCount(3);

        Trace second = await RunAsync(image, new() { Input = machine.InputLog });
        second.Should().Be(first);
    }

    [Fact]
    public async Task Guest_that_waits_for_nothing_ends_the_run()
    {
        byte[] forever = EmulatedGuest.Build(guest =>
        {
            guest.cli();
            guest.hlt();
        });
        (await RunAsync(forever)).Kind.Should().Be(MachineOutcomeKind.AllHalted);
        byte[] nothingArmed = EmulatedGuest.Build(guest =>
        {
            guest.InitializeInterruptControllers(0xFF, 0xFF);
            guest.sti();
            guest.hlt();
        });
        (await RunAsync(nothingArmed)).Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Run_can_be_cancelled_saved_and_continued()
    {
        StringBuilder sent = new();
        byte[] spin = EmulatedGuest.Build(guest =>
        {
            Iced.Intel.Label loop = guest.CreateLabel();
            guest.Label(ref loop);
            guest.inc(ebx);
            guest.jmp(loop);
        });
        await using Machine machine = new(new EmulatorHypervisor(), Options(spin, sent));
        await RunALittleAsync(machine);
        MemoryStream saved = new();
        machine.Save(saved);
        saved.Position = 0;
        using SavedMachine file = new(saved);
        await using Machine restored = Machine.Restore(new EmulatorHypervisor(), file, file.Description.ToOptions(Options(spin, sent)));
        restored.Clock.Nanoseconds.Should().Be(file.Description.Time);
        await RunALittleAsync(restored);
        restored.Clock.Nanoseconds.Should().BeGreaterThan(file.Description.Time);

        static async Task RunALittleAsync(Machine some)
        {
            using CancellationTokenSource stop = new();
            Task<MachineOutcome> run = some.RunAsync(stop.Token);
            while (some.Partition.Processors[0].Counters.Instructions == 0)
                await Task.Delay(5);
            stop.Cancel();
            (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
        }
    }

    [Fact]
    public async Task Two_machines_restored_from_one_run_alike()
    {
        byte[] image = TimedGuests.Echo();
        await using Machine machine = new(new EmulatorHypervisor(), Options(image, new()) with { HasSerialInput = true });
        using CancellationTokenSource stop = new();
        Task<MachineOutcome> run = machine.RunAsync(stop.Token);
        while (machine.Partition.Processors[0].Counters.Instructions < 1000)
            await Task.Delay(1);
        stop.Cancel();
        (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
        MemoryStream saved = new();
        machine.Save(saved);
        Trace first = await GoOnAsync();
        first.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        first.Sent.Should().HaveLength(4);
        (await GoOnAsync()).Should().Be(first);

        async Task<Trace> GoOnAsync()
        {
            StringBuilder sent = new();
            using SavedMachine file = new(new MemoryStream(saved.ToArray()));
            DeterministicOptions script = new() { Input = [new(file.Description.Time + 70_000, "ab."u8.ToArray())] };
            await using Machine restored = Machine.Restore(new EmulatorHypervisor(), file, file.Description.ToOptions(Options(image, sent, script)));
            return await FinishAsync(restored, restored.RunAsync(), sent);
        }
    }

    [Fact]
    public void Calendar_begins_where_it_is_told_and_numbers_follow_from_the_seed()
    {
        DateTimeOffset start = new(1999, 12, 31, 23, 59, 58, TimeSpan.Zero);
        using Machine machine = new(new EmulatorHypervisor(), Options(TimedGuests.Echo(), new(), new() { Start = start }));
        machine.Clock.UtcNow.Should().Be(start);
        byte[] first = new byte[20], second = new byte[20], other = new byte[20];
        new SeededEntropy(1).Fill(first);
        new SeededEntropy(1).Fill(second);
        new SeededEntropy(2).Fill(other);
        second.Should().Equal(first);
        other.Should().NotEqual(first);
    }

    [Fact]
    public void Impossible_options_are_refused()
    {
        MachineOptions options = Options(TimedGuests.Echo(), new());
        Refused(options with { Deterministic = new() { Quantum = 0 } }, "*quantum*");
        Refused(options with { Clock = new Devices.VirtualClock(DateTimeOffset.UnixEpoch) }, "*clock of its own*");

        static void Refused(MachineOptions wrong, string message) =>
            FluentActions.Invoking(() => new Machine(new EmulatorHypervisor(), wrong)).Should().Throw<ArgumentException>().WithMessage(message);
    }
}
