using System.Diagnostics;
using System.Text;
using Iced.Intel;
using Vmm.Devices;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>
/// Machines on the emulator with small guests: devices, interrupts and outcomes from the guest's side, with and without local APICs.
/// </summary>
public sealed class EmulatedMachineTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _sent = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Machine Build(byte[] image, LocalApicMode localApic, bool hasInput = false) => new(new EmulatorHypervisor(), new MachineOptions
    {
        Image = new KernelImage(image),
        MemorySize = 8 << 20,
        LocalApic = localApic,
        HasSerialInput = hasInput,
        DebugExitPort = 0xF4,
        SerialOutput = data =>
        {
            _sent.Append(Encoding.Latin1.GetString(data));
            _ready.TrySetResult();
        },
    });

    private async Task<MachineOutcome> RunAsync(LocalApicMode localApic, Action<Assembler> body)
    {
        await using Machine machine = Build(EmulatedGuest.Build(body), localApic);
        return await machine.RunAsync().WaitAsync(s_patience);
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Guest_prints_and_leaves_by_debug_exit(LocalApicMode localApic)
    {
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            foreach (char letter in "hello")
                guest.Out(0x3F8, letter);
            guest.Out(0xF4, 0x2A);
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(0x2A);
        _sent.ToString().Should().Be("hello");
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Timer_interrupts_a_halted_guest_at_its_rate(LocalApicMode localApic)
    {
        Stopwatch watch = Stopwatch.StartNew();
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            Label wait = guest.CreateLabel();
            guest.InitializeInterruptControllers(0xFE, 0xFF);
            guest.SetHandler(0x20, () =>
            {
                guest.inc(ebx);
                guest.Out(0x20, 0x20);
                guest.iretd();
            });
            guest.xor(ebx, ebx);
            // 11932 ticks: 10 milliseconds.
            guest.Out(0x43, 0x34);
            guest.Out(0x40, 0x9C);
            guest.Out(0x40, 0x2E);
            guest.sti();
            guest.Label(ref wait);
            guest.hlt();
            guest.cmp(ebx, 11);
            guest.jb(wait);
            guest.Out(0xF4, 1);
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        watch.Elapsed.Should().BeGreaterThan(TimeSpan.FromMilliseconds(95), "at least ten periods passed");
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Real_time_clock_interrupts_through_the_second_controller(LocalApicMode localApic)
    {
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            Label wait = guest.CreateLabel();
            guest.InitializeInterruptControllers(0xFB, 0xFE);
            guest.SetHandler(0x28, () =>
            {
                guest.inc(ebx);
                guest.Out(0x70, 0x0C);
                guest.mov(dx, 0x71);
                guest.@in(al, dx);
                guest.Out(0xA0, 0x20);
                guest.Out(0x20, 0x20);
                guest.iretd();
            });
            guest.xor(ebx, ebx);
            guest.Out(0x70, 0x0B);
            guest.Out(0x71, 0x42);
            guest.sti();
            guest.Label(ref wait);
            guest.hlt();
            guest.cmp(ebx, 8);
            guest.jb(wait);
            guest.Out(0xF4, 8);
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Typed_text_comes_back_by_interrupts(LocalApicMode localApic)
    {
        byte[] image = EmulatedGuest.Build(guest =>
        {
            Label wait = guest.CreateLabel();
            guest.InitializeInterruptControllers(0xEF, 0xFF);
            guest.SetHandler(0x24, () => EchoHandler(guest));
            guest.Out(0x3FA, 0x01);
            guest.Out(0x3FC, 0x0B);
            guest.Out(0x3F9, 0x01);
            guest.Out(0x3F8, '!');
            guest.sti();
            guest.Label(ref wait);
            guest.hlt();
            guest.jmp(wait);
        });
        await using Machine machine = Build(image, localApic, hasInput: true);
        Task<MachineOutcome> run = machine.RunAsync();
        // Enabling the FIFOs forgets what came before, as on the chip: the guest says when it listens.
        await _ready.Task.WaitAsync(s_patience);
        string text = string.Concat(Enumerable.Range(0, 2000).Select(number => number + ",")) + ".";
        await machine.Serial.ReceiveAsync(Encoding.ASCII.GetBytes(text)).AsTask().WaitAsync(s_patience);
        (await run.WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.DebugExit);
        (_sent.ToString() == "!" + text).Should().BeTrue("everything comes back, once and in order");
    }

    private static void EchoHandler(Assembler guest)
    {
        Label next = guest.CreateLabel();
        Label done = guest.CreateLabel();
        Label leave = guest.CreateLabel();
        guest.Label(ref next);
        guest.mov(dx, 0x3FD);
        guest.@in(al, dx);
        guest.test(al, 1);
        guest.jz(done);
        guest.mov(dx, 0x3F8);
        guest.@in(al, dx);
        guest.@out(dx, al);
        guest.cmp(al, (int)'.');
        guest.je(leave);
        guest.jmp(next);
        guest.Label(ref done);
        guest.Out(0x20, 0x20);
        guest.iretd();
        guest.Label(ref leave);
        guest.Out(0xF4, 0);
        guest.hlt();
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Halt_with_interrupts_off_is_noticed(LocalApicMode localApic)
    {
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            guest.Out(0x3F8, '!');
            guest.cli();
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.AllHalted, "an access before the halt makes no difference");
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Triple_fault_is_an_outcome(LocalApicMode localApic)
    {
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            guest.mov(__dword_ptr[0x20_0000], 0);
            guest.mov(__dword_ptr[0x20_0004], 0);
            guest.lidt(__[0x20_0000]);
            guest.int3();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.TripleFault);
    }

    [Theory]
    [InlineData(LocalApicMode.None, 0x64, 0xFE), InlineData(LocalApicMode.XApic, 0x64, 0xFE), InlineData(LocalApicMode.XApic, 0xCF9, 0x06)]
    public async Task Reset_is_an_outcome_even_if_the_guest_spins_on(LocalApicMode localApic, int port, int value)
    {
        MachineOutcome outcome = await RunAsync(localApic, guest =>
        {
            Label spin = guest.CreateLabel();
            guest.Out(port, value);
            guest.Label(ref spin);
            guest.jmp(spin);
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.Reset);
    }

    [Fact]
    public async Task Jump_into_nothing_is_a_failure_with_the_address()
    {
        MachineOutcome outcome = await RunAsync(LocalApicMode.XApic, guest =>
        {
            guest.mov(eax, unchecked((int)0xD000_0000));
            guest.jmp(eax);
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.Failed);
        outcome.Exit.SlatViolation.Address.Should().Be(0xD000_0000);
    }

    [Fact]
    public async Task Spinning_guest_can_be_cancelled()
    {
        byte[] image = EmulatedGuest.Build(guest =>
        {
            Label spin = guest.CreateLabel();
            guest.Label(ref spin);
            guest.jmp(spin);
        });
        await using Machine machine = Build(image, LocalApicMode.XApic);
        using CancellationTokenSource source = new(200);
        (await machine.RunAsync(source.Token).WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.Cancelled);
    }

    [Fact]
    public async Task Elf64_starts_in_long_mode_with_a_stack()
    {
        Assembler guest = new(64);
        Label routine = guest.CreateLabel();
        guest.call(routine);
        guest.mov(dx, 0xF4);
        guest.@out(dx, al);
        guest.hlt();
        guest.Label(ref routine);
        guest.mov(rax, 0x1234_5678_0000_0055);
        guest.shl(rax, 4);
        guest.shr(rax, 4 + 28);
        guest.ret();
        MemoryStream code = new();
        guest.Assemble(new StreamCodeWriter(code), 0x20_0000);
        byte[] image = Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, code.ToArray(), 0x1000)]);
        await using Machine machine = new(new EmulatorHypervisor(), new MachineOptions
        {
            Image = new ElfImage(image),
            MemorySize = 8 << 20,
            DebugExitPort = 0xF4,
        });
        MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(unchecked((byte)(0x0234_5678_0000_0055ul >> 28)));
    }
}
