using Vmm.Emulator;

namespace Vmm.Machines.Tests;

public sealed class MachineStoppingTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    // mov dx, 0x602; mov ax, 0x100; out dx, ax: the power button's event is enabled; then '!' to the serial port
    private static readonly byte[] s_listen = [0xBA, 0x02, 0x06, 0xB8, 0x00, 0x01, 0xEF, .. s_print];

    // mov dx, 0x3F8; mov al, '!'; out dx, al
    private static ReadOnlySpan<byte> s_print => [0xBA, 0xF8, 0x03, 0xB0, (byte)'!', 0xEE];

    // mov dx, 0x600; wait: in ax, dx; test ah, 1; jz wait; mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt
    private static ReadOnlySpan<byte> s_obey =>
        [0xBA, 0x00, 0x06, 0xED, 0xF6, 0xC4, 0x01, 0x74, 0xFA, 0xBA, 0x04, 0x06, 0xB8, 0x00, 0x20, 0xEF, 0xF4];

    // jmp $
    private static ReadOnlySpan<byte> s_spin => [0xEB, 0xFE];

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RecordingLogs _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Guest_that_listens_shuts_itself_down()
    {
        await using Machine machine = Build([.. s_listen, .. s_obey]);
        Task<MachineOutcome> run = machine.RunAsync();
        await _ready.Task.WaitAsync(s_patience);

        MachineOutcome? outcome = await machine.ShutDownAsync(s_patience).WaitAsync(s_patience);

        outcome!.ToString().Should().Be("powered off (ACPI)");
        (await run).Should().Be(outcome);
        _log.Ids.Should().Equal(5000, 5001, 5006, 5002);
    }

    [Fact]
    public async Task Guest_that_takes_too_long_loses_its_power()
    {
        await using Machine machine = Build([.. s_listen, .. s_spin]);
        Task<MachineOutcome> run = machine.RunAsync();
        await _ready.Task.WaitAsync(s_patience);

        MachineOutcome? outcome = await machine.ShutDownAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(s_patience);

        outcome!.Kind.Should().Be(MachineOutcomeKind.Cancelled);
        (await run).Should().Be(outcome);
        _log.Ids.Should().Equal(5000, 5001, 5006, 5008, 5002);
    }

    [Fact]
    public async Task Token_ends_the_patience()
    {
        await using Machine machine = Build([.. s_listen, .. s_spin]);
        Task<MachineOutcome> run = machine.RunAsync();
        await _ready.Task.WaitAsync(s_patience);
        using CancellationTokenSource hurry = new();

        Task<MachineOutcome?> stop = machine.ShutDownAsync(Timeout.InfiniteTimeSpan, cancellationToken: hurry.Token);
        stop.IsCompleted.Should().BeFalse();
        await hurry.CancelAsync();

        (await stop.WaitAsync(s_patience))!.Kind.Should().Be(MachineOutcomeKind.Cancelled);
        await run;
    }

    [Fact]
    public async Task Guest_that_does_not_listen_loses_its_power_at_once()
    {
        await using Machine machine = Build([.. s_print, .. s_spin]);
        Task<MachineOutcome> run = machine.RunAsync();
        await _ready.Task.WaitAsync(s_patience);

        MachineOutcome? outcome = await machine.ShutDownAsync(Timeout.InfiniteTimeSpan).WaitAsync(s_patience);

        outcome!.Kind.Should().Be(MachineOutcomeKind.Cancelled);
        (await run).Should().Be(outcome);
        _log.Ids.Should().Equal(5000, 5001, 5007, 5002);
    }

    [Fact]
    public async Task Run_that_is_just_beginning_can_be_stopped_and_its_machine_disposed()
    {
        for (int attempt = 0; attempt < 200; attempt++)
        {
            using Machine machine = Build([.. s_spin]);
            Task<MachineOutcome> run = Task.Run(() => machine.RunAsync());
            if ((attempt & 1) == 0)
                await machine.ShutDownAsync(TimeSpan.Zero).WaitAsync(s_patience);
            machine.Dispose();
            // It began before it was disposed, or did not.
            try
            {
                (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }

    [Fact]
    public async Task Machine_at_rest_has_nothing_to_stop()
    {
        await using Machine machine = Build([.. s_spin]);

        (await machine.ShutDownAsync(TimeSpan.Zero)).Should().BeNull();
    }

    private Machine Build(byte[] code) => new(new EmulatorHypervisor(), new MachineOptions
    {
        Image = new FlatImage(code, 0x1000),
        MemorySize = 1 << 20,
        SerialOutput = _ => _ready.TrySetResult(),
        LoggerFactory = _log,
    });
}
