using System.Text;
using Iced.Intel;
using Vmm.Emulator;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Machines.Tests;

/// <summary>Machines that start in a ROM, from the guest's side.</summary>
public sealed class FirmwareMachineTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly StringBuilder _sent = new();

    private Machine Build(byte[] rom, bool hasConsole = true) => new(new EmulatorHypervisor(), new MachineOptions
    {
        Firmware = new FirmwareImage(rom) { DebugConsole = hasConsole ? data => _sent.Append(Encoding.Latin1.GetString(data)) : null },
        MemorySize = 4 << 20,
        DebugExitPort = 0xF4,
    });

    private async Task<string> RunAsync(Machine machine)
    {
        MachineOutcome outcome = await machine.RunAsync().WaitAsync(s_patience);
        outcome.Kind.Should().Be(MachineOutcomeKind.DebugExit, "the run ended with {0}", outcome);
        return _sent.ToString();
    }

    private static void Leave(Assembler guest)
    {
        guest.@out(0xF4, al);
        guest.hlt();
    }

    // Sends the byte at segment:offset to the debug console.
    private static void Show(Assembler guest, int segment, int offset)
    {
        guest.mov(ax, unchecked((short)segment));
        guest.mov(es, ax);
        guest.mov(al, __byte_ptr.es[offset]);
        guest.mov(dx, 0x402);
        guest.@out(dx, al);
    }

    private static void Poke(Assembler guest, int segment, int offset, int value)
    {
        guest.mov(ax, unchecked((short)segment));
        guest.mov(es, ax);
        guest.mov(__byte_ptr.es[offset], value);
    }

    [Theory]
    [InlineData(0x1_0000), InlineData(0x2_0000), InlineData(0x4_1000), InlineData(0x100_0000)]
    public async Task Rom_of_any_size_starts_at_the_reset_vector(int size)
    {
        await using Machine machine = Build(RomImage.Build(size, guest =>
        {
            guest.mov(dx, 0x402);
            guest.mov(al, (sbyte)'!');
            guest.@out(dx, al);
            Leave(guest);
        }));
        (await RunAsync(machine)).Should().Be("!");
    }

    [Fact]
    public async Task Last_128_KiB_are_at_0xE0000_and_all_ones_below()
    {
        await using Machine machine = Build(RomImage.Build(0x4_0000, guest =>
        {
            // Page numbers of the 64 pages of the image: 0x20 is the first of the last 128 KiB.
            Show(guest, 0xE000, 0x0800);
            Show(guest, 0xE000, 0xF800);
            Show(guest, 0xF000, 0xE800);
            Show(guest, 0xC000, 0x0800);
            Show(guest, 0xD000, 0xFFFF);
            Leave(guest);
        }));
        (await RunAsync(machine)).Should().Be("\u0020\u002F\u003E\u00FF\u00FF");
    }

    [Fact]
    public async Task Writes_to_the_rom_are_lost()
    {
        await using Machine machine = Build(RomImage.Build(0x2_0000, guest =>
        {
            Poke(guest, 0xF000, 0x9800, 'x');
            Poke(guest, 0xE000, 0x1800, 'x');
            Poke(guest, 0xC000, 0x1800, 'x');
            Show(guest, 0xF000, 0x9800);
            Show(guest, 0xE000, 0x1800);
            Show(guest, 0xC000, 0x1800);
            Leave(guest);
        }));
        (await RunAsync(machine)).Should().Be("\u0019\u0001\u00FF");
    }

    [Fact]
    public async Task Segment_that_reads_rom_and_writes_ram_is_copied_in_place()
    {
        await using Machine machine = Build(RomImage.Build(0x2_0000, guest =>
        {
            Label copy = guest.CreateLabel();
            // The code's own segment: word by word onto itself, then a change, which must not be seen yet.
            guest.mov(ax, unchecked((short)0xF000));
            guest.mov(ds, ax);
            guest.mov(es, ax);
            guest.xor(si, si);
            guest.xor(di, di);
            guest.mov(cx, unchecked((short)0x8000));
            guest.cld();
            guest.rep.movsw();
            guest.jmp(copy);
            guest.Label(ref copy);
            Poke(guest, 0xF000, 0x9800, 'x');
            Show(guest, 0xF000, 0x9800);
            Leave(guest);
            // Run again at this place once the segment is RAM.
        }));
        machine.FirmwareShadow!.Set(0, GuestAccess.Write);
        (await RunAsync(machine)).Should().Be("\u0019");

        machine.FirmwareShadow.Set(0, GuestAccess.Read);
        byte[] seen = new byte[1];
        machine.Partition.Memory.Read(0xF_9800, seen);
        seen[0].Should().Be((byte)'x');
        machine.Partition.Memory.Read(0xF_A800, seen);
        seen[0].Should().Be(0x1A);
    }

    [Fact]
    public async Task Segment_that_is_ram_is_written_and_write_protected_ram_keeps_its_bytes()
    {
        await using Machine machine = Build(RomImage.Build(0x2_0000, guest =>
        {
            Poke(guest, 0xC000, 0x0010, 'a');
            Poke(guest, 0xC400, 0x0010, 'b');
            Show(guest, 0xC000, 0x0010);
            Show(guest, 0xC400, 0x0010);
            Leave(guest);
        }));
        machine.FirmwareShadow!.Set(1, GuestAccess.ReadWrite);
        machine.FirmwareShadow.Set(2, GuestAccess.Read);
        (await RunAsync(machine)).Should().Be("a\0");
    }

    [Fact]
    public async Task Port_without_a_debug_console_reads_all_ones_and_with_one_the_agreed_byte()
    {
        byte[] rom = RomImage.Build(0x1_0000, guest =>
        {
            guest.mov(dx, 0x402);
            guest.@in(al, dx);
            Leave(guest);
        });
        foreach ((bool hasConsole, uint expected) in new[] { (false, 0xFFu), (true, 0xE9u) })
        {
            await using Machine machine = Build(rom, hasConsole);
            (await machine.RunAsync().WaitAsync(s_patience)).Value.Should().Be(expected);
        }
    }

    [Theory]
    [InlineData(0, "empty"), InlineData(0xF000, "less than the 64 KiB"), InlineData(0x1_0001, "no multiple of 4096")]
    [InlineData(0x100_1000, "more than the 16 MiB")]
    public void Rom_of_a_wrong_size_is_refused(int size, string because)
    {
        Action build = () => Build(new byte[size]).Dispose();
        build.Should().Throw<ImageLoadException>().WithMessage($"*{because}*");
    }

    [Fact]
    public void Machine_without_image_and_firmware_is_refused()
    {
        Action build = () => new Machine(new EmulatorHypervisor(), new MachineOptions()).Dispose();
        build.Should().Throw<ArgumentException>();
    }
}
