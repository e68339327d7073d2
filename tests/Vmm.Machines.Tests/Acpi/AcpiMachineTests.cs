using Iced.Intel;
using Vmm.Devices;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Machines on the emulator whose guests use the I/O APIC, the power-management registers and the tables.</summary>
public sealed class AcpiMachineTests
{
    private const uint IoApicPage = 0xFEC0_0000;
    private const uint LocalApicPage = 0xFEE0_0000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Machine Build(Action<Assembler> body, LocalApicMode localApic = LocalApicMode.XApic, bool hasAcpi = true) =>
        new(new EmulatorHypervisor(), new MachineOptions
        {
            Image = new KernelImage(EmulatedGuest.Build(body)),
            MemorySize = 8 << 20,
            LocalApic = localApic,
            HasAcpi = hasAcpi,
            DebugExitPort = 0xF4,
            SerialOutput = _ => _ready.TrySetResult(),
        });

    private static void SetUpApics(Assembler guest, int input, int entry)
    {
        guest.InitializeInterruptControllers(0xFF, 0xFF);
        guest.mov(__dword_ptr[LocalApicPage + 0xF0], 0x1FF);
        guest.mov(__dword_ptr[IoApicPage], 0x11 + 2 * input);
        guest.mov(__dword_ptr[IoApicPage + 0x10], 0);
        guest.mov(__dword_ptr[IoApicPage], 0x10 + 2 * input);
        guest.mov(__dword_ptr[IoApicPage + 0x10], entry);
    }

    private static void EndOfInterrupt(Assembler guest) => guest.mov(__dword_ptr[LocalApicPage + 0xB0], 0);

    private static void Out16(Assembler guest, int port, int value)
    {
        guest.mov(dx, (short)port);
        guest.mov(ax, (short)value);
        guest.@out(dx, ax);
    }

    [Theory]
    [InlineData(LocalApicMode.None), InlineData(LocalApicMode.XApic)]
    public async Task Soft_off_is_an_outcome(LocalApicMode localApic)
    {
        await using Machine machine = Build(
            guest =>
            {
                Out16(guest, 0x604, 0x2000);
                guest.hlt();
            },
            localApic);
        (await machine.RunAsync().WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.PoweredOff);
    }

    [Fact]
    public async Task Without_acpi_there_are_no_registers_and_no_tables()
    {
        await using Machine machine = Build(
            guest =>
            {
                Out16(guest, 0x604, 0x2000);
                guest.cli();
                guest.hlt();
            },
            hasAcpi: false);
        byte[] area = new byte[0x1_0000];
        machine.Partition.Memory.Read(0xF_0000, area);
        area.Should().OnlyContain(value => value == 0);
        machine.PowerManagement.Should().BeNull();
        (await machine.RunAsync().WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Timer_interrupts_through_input_2_of_the_io_apic()
    {
        await using Machine machine = Build(guest =>
        {
            Label wait = guest.CreateLabel();
            guest.SetHandler(0x30, () =>
            {
                guest.inc(ebx);
                EndOfInterrupt(guest);
                guest.iretd();
            });
            SetUpApics(guest, 2, 0x30);
            guest.xor(ebx, ebx);
            guest.Out(0x43, 0x34);
            guest.Out(0x40, 0x9C);
            guest.Out(0x40, 0x2E);
            guest.sti();
            guest.Label(ref wait);
            guest.hlt();
            guest.cmp(ebx, 5);
            guest.jb(wait);
            guest.Out(0xF4, 5);
            guest.hlt();
        });
        (await machine.RunAsync().WaitAsync(s_patience)).Kind.Should().Be(MachineOutcomeKind.DebugExit);
    }

    [Fact]
    public async Task Level_triggered_interrupt_comes_again_until_its_cause_is_gone()
    {
        await using Machine machine = Build(guest =>
        {
            Label wait = guest.CreateLabel();
            Label again = guest.CreateLabel();
            guest.SetHandler(0x31, () =>
            {
                guest.inc(ebx);
                guest.cmp(ebx, 3);
                guest.jb(again);
                // The third time the status of the power button is cleared.
                Out16(guest, 0x600, 0x100);
                guest.Label(ref again);
                EndOfInterrupt(guest);
                guest.iretd();
            });
            SetUpApics(guest, 9, 0x8031);
            Out16(guest, 0x602, 0x100);
            guest.xor(ebx, ebx);
            guest.sti();
            guest.Out(0x3F8, '!');
            guest.Label(ref wait);
            guest.cmp(ebx, 3);
            guest.jb(wait);
            // Nothing comes any more.
            guest.mov(ecx, 100_000);
            Label spin = guest.CreateLabel();
            guest.Label(ref spin);
            guest.loop(spin);
            guest.mov(dx, 0xF4);
            guest.mov(al, bl);
            guest.@out(dx, al);
            guest.hlt();
        });
        Task<MachineOutcome> run = machine.RunAsync();
        await _ready.Task.WaitAsync(s_patience);
        machine.PowerManagement!.PressPowerButton();
        MachineOutcome outcome = await run.WaitAsync(s_patience);
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(3);
    }

    [Fact]
    public async Task Guest_that_searches_finds_the_tables()
    {
        await using Machine machine = Build(guest =>
        {
            Label next = guest.CreateLabel();
            Label found = guest.CreateLabel();
            guest.mov(esi, 0xE_0000);
            guest.Label(ref next);
            guest.cmp(__dword_ptr[esi], BitConverter.ToInt32("RSD "u8));
            guest.je(found);
            guest.add(esi, 16);
            guest.cmp(esi, 0x10_0000);
            guest.jb(next);
            guest.Label(ref found);
            guest.mov(edi, __[esi + 24]);
            guest.mov(eax, __[edi]);
            guest.mov(dx, 0xF4);
            guest.@out(dx, eax);
            guest.hlt();
        });
        MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
        outcome.Value.Should().Be(BitConverter.ToUInt32("XSDT"u8));
    }
}
