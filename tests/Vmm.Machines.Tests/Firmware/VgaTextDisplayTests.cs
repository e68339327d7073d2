using System.Text;
using Vmm.Devices;
using Vmm.Emulator;

namespace Vmm.Machines.Tests;

/// <summary>The text display from both sides: ports and memory, and what a client reads. Oracle: IBM's VGA technical reference.</summary>
public sealed class VgaTextDisplayTests : IDisposable
{
    private readonly IPartition _partition = new EmulatorHypervisor().CreatePartition(new PartitionOptions());
    private readonly GuestMemory _ram;
    private readonly VgaTextDisplay _display;
    private readonly PortBus _ports = new();

    public VgaTextDisplayTests()
    {
        _ram = _partition.AllocateMemory(0x10_0000);
        _display = new VgaTextDisplay(_ram);
        _display.Register(_ports);
    }

    public void Dispose()
    {
        _partition.Dispose();
        _ram.Dispose();
    }

    private void Print(int cell, string text, byte attribute = 0x07)
    {
        foreach (byte code in Encoding.ASCII.GetBytes(text))
            _ram.Write(0xB_8000 + 2 * (ulong)cell++, [code, attribute]);
    }

    private void SetCrtc(int register, int value) => _ports.Write(0x3D4, 2, (uint)(value << 8 | register));

    [Fact]
    public void Screen_begins_as_80_by_25_and_shows_what_is_in_memory()
    {
        Print(0, "hello");
        Print(80, "world", 0x1E);
        _ram.Write(0xB_8000 + 2 * (24 * 80 + 79), [0xDB, 0x04]);

        VgaTextScreen screen = _display.Read();

        (screen.Columns, screen.Rows).Should().Be((80, 25));
        screen.Line(0).Should().Be("hello");
        screen.Line(1).Should().Be("world");
        screen.Cells(1)[0].Should().Be(new VgaTextCell((byte)'w', 0x1E));
        (screen.Cells(1)[0].Foreground, screen.Cells(1)[0].Background).Should().Be((14, 1));
        screen.Line(24).Should().Be(new string(' ', 79) + '█');
        screen.ToString().Should().Be("hello\nworld\n" + new string('\n', 22) + screen.Line(24) + "\n");
        screen.Cursor.Should().Be((0, 0));
    }

    [Fact]
    public void Screen_follows_the_start_address_and_the_cursor()
    {
        Print(3 * 80, "third");
        SetCrtc(0x0C, 0);
        SetCrtc(0x0D, 2 * 80);
        SetCrtc(0x0E, (5 * 80 + 7) >> 8);
        SetCrtc(0x0F, (5 * 80 + 7) & 0xFF);

        VgaTextScreen screen = _display.Read();

        screen.Line(1).Should().Be("third");
        screen.Cursor.Should().Be((3, 7));
        SetCrtc(0x0A, 0x20);
        _display.Read().Cursor.Should().BeNull("it was switched off");
    }

    [Fact]
    public void Modes_with_other_sizes_are_read_as_they_are()
    {
        // The timing is protected until bit 7 of register 0x11 is cleared.
        SetCrtc(0x01, 39);
        _display.Read().Columns.Should().Be(80);
        SetCrtc(0x11, 0x0E);
        SetCrtc(0x01, 39);
        SetCrtc(0x13, 20);
        SetCrtc(0x09, 0x47);
        Print(40, "second");

        VgaTextScreen screen = _display.Read();

        (screen.Columns, screen.Rows).Should().Be((40, 50));
        screen.Line(1).Should().Be("second");
    }

    [Fact]
    public void Graphics_mode_shows_no_text()
    {
        _ports.Write(0x3CE, 2, 0x05_06);

        _display.IsTextMode.Should().BeFalse();
        _display.Read().Rows.Should().Be(0);
        _display.Read().ToString().Should().BeEmpty();
    }

    [Fact]
    public void Monochrome_mode_moves_ports_and_memory()
    {
        _ports.Write(0x3C2, 1, 0x66);
        _ports.Write(0x3CE, 2, 0x0A_06);
        _ram.Write(0xB_0000, "m\u0007"u8);

        _ports.Read(0x3D4, 1).Should().Be(0xFF);
        _ports.Write(0x3B4, 1, 0x0F);
        _ports.Write(0x3B5, 1, 4);
        _ports.Read(0x3B5, 1).Should().Be(4);
        VgaTextScreen screen = _display.Read();
        screen.Line(0).Should().Be("m");
        screen.Cursor.Should().Be((0, 4));
    }

    [Fact]
    public void Status_shows_retraces_and_makes_the_attribute_port_take_an_index()
    {
        uint first = _ports.Read(0x3DA, 1) & 8, second = _ports.Read(0x3DA, 1) & 8;
        first.Should().NotBe(second);

        _ports.Write(0x3C0, 1, 0x05);
        _ports.Write(0x3C0, 1, 0x2A);
        _ports.Write(0x3C0, 1, 0x07);
        _ports.Read(0x3DA, 1);
        _ports.Write(0x3C0, 1, 0x05);
        _ports.Read(0x3C1, 1).Should().Be(0x2A);
    }

    [Fact]
    public void Palette_is_kept_in_three_parts_a_colour()
    {
        _ports.Write(0x3C8, 1, 255);
        foreach (uint part in new uint[] { 1, 2, 0xFF, 4, 5, 6 })
            _ports.Write(0x3C9, 1, part);
        _ports.Write(0x3C7, 1, 255);

        new[] { 1u, 2u, 3u, 4u, 5u, 6u }.Select(_ => _ports.Read(0x3C9, 1)).Should().Equal(1, 2, 0x3F, 4, 5, 6);
    }

    [Fact]
    public void Any_register_values_give_a_screen()
    {
        Random random = new(8);
        for (int round = 0; round < 3000; round++)
        {
            foreach (int port in new[] { 0x3B4, 0x3B5, 0x3BA, 0x3C0, 0x3C2, 0x3C4, 0x3C5, 0x3C7, 0x3C9, 0x3CE, 0x3CF, 0x3D4, 0x3D5 })
                _ports.Write((ushort)port, 1 << random.Next(3), (uint)random.Next());
            _ports.Read((ushort)(0x3B0 + random.Next(0x30)), 4);
            VgaTextScreen screen = _display.Read();
            screen.ToString().Length.Should().BeLessThan(0x8000);
        }
    }

    [Fact]
    public void State_moves_to_another_display()
    {
        SetCrtc(0x0F, 9);
        _ports.Write(0x3C8, 1, 3);
        _ports.Write(0x3C9, 1, 0x21);
        SaveableDevices saved = new();
        saved.Add("display", _display);

        VgaTextDisplay other = new(_ram);
        SaveableDevices restored = new();
        restored.Add("display", other);
        restored.Apply(saved.Capture(0), 0);

        other.Read().Cursor.Should().Be((0, 9));
        Bytes(saved).Should().Equal(Bytes(restored));

        static byte[] Bytes(SaveableDevices devices) => [.. devices.Capture(0)[0].Values.SelectMany(value => value.Value.ToArray())];
    }
}
