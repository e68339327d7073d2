using Iced.Intel;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Emulated machines of several processors that come to rest: for good, or with something left that wakes them.</summary>
public sealed class HaltedProcessorsTests
{
    private const uint LocalApicPage = 0xFEE0_0000;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static async Task<MachineOutcome> RunAsync(int processors, Action<Assembler> body)
    {
        await using Machine machine = new(new EmulatorHypervisor(), new MachineOptions
        {
            Image = new KernelImage(EmulatedGuest.Build(body)),
            MemorySize = 8 << 20,
            ProcessorCount = processors,
            DebugExitPort = 0xF4,
        });
        return await machine.RunAsync().WaitAsync(s_patience);
    }

    // Real-mode code at 0x8000 for the second processor, then the INIT and start-up messages to it.
    private static void StartSecond(Assembler guest, ReadOnlySpan<byte> code)
    {
        for (int index = 0; index < code.Length; index++)
            guest.mov(__byte_ptr[0x8000 + index], code[index]);
        guest.mov(__dword_ptr[LocalApicPage + 0x310], 0x0100_0000);
        guest.mov(__dword_ptr[LocalApicPage + 0x300], 0x4500);
        guest.mov(__dword_ptr[LocalApicPage + 0x310], 0x0100_0000);
        guest.mov(__dword_ptr[LocalApicPage + 0x300], 0x4608);
    }

    [Theory]
    [InlineData(1), InlineData(2)]
    public async Task Halted_with_interrupts_on_and_nothing_armed_is_the_end(int processors)
    {
        MachineOutcome outcome = await RunAsync(processors, guest =>
        {
            guest.InitializeInterruptControllers(0xFF, 0xFF);
            guest.sti();
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Both_processors_halted_with_interrupts_on_is_the_end()
    {
        MachineOutcome outcome = await RunAsync(2, guest =>
        {
            guest.InitializeInterruptControllers(0xFF, 0xFF);
            // sti; hlt; jmp to the hlt.
            StartSecond(guest, [0xFB, 0xF4, 0xEB, 0xFD]);
            guest.sti();
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.AllHalted);
    }

    [Fact]
    public async Task Timer_of_a_local_apic_that_counts_is_waited_for()
    {
        MachineOutcome outcome = await RunAsync(2, guest =>
        {
            guest.InitializeInterruptControllers(0xFF, 0xFF);
            guest.SetHandler(0x40, () => guest.Out(0xF4, 7));
            guest.mov(__dword_ptr[LocalApicPage + 0xF0], 0x1FF);
            // One shot, divided by 128: more than a second at 1 GHz.
            guest.mov(__dword_ptr[LocalApicPage + 0x3E0], 0xA);
            guest.mov(__dword_ptr[LocalApicPage + 0x320], 0x40);
            guest.mov(__dword_ptr[LocalApicPage + 0x380], 10_000_000);
            guest.sti();
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(7);
    }

    [Fact]
    public async Task Second_processor_that_works_keeps_the_run_going()
    {
        MachineOutcome outcome = await RunAsync(2, guest =>
        {
            guest.InitializeInterruptControllers(0xFF, 0xFF);
            guest.mov(__dword_ptr[LocalApicPage + 0xF0], 0x1FF);
            Assembler second = new(16);
            Label spin = second.CreateLabel();
            // Some hundreds of milliseconds, then the debug-exit port.
            second.mov(ecx, 20_000_000);
            second.Label(ref spin);
            second.dec(ecx);
            second.jnz(spin);
            second.mov(al, 9);
            second.@out(0xF4, al);
            second.hlt();
            MemoryStream code = new();
            second.Assemble(new StreamCodeWriter(code), 0x8000);
            StartSecond(guest, code.ToArray());
            guest.sti();
            guest.hlt();
        });
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit);
        outcome.Value.Should().Be(9);
    }
}
