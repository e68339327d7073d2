namespace Vmm.Devices.Tests;

public sealed class PciBusTests
{
    private readonly PortBus _ports = new();
    private readonly MmioBus _mmio = new();
    private readonly PciBus _bus;
    private readonly TestFunction _function = new();

    public PciBusTests()
    {
        _bus = new PciBus(_ports, _mmio);
        _bus.Add(5, 0, _function);
    }

    private static uint AddressOf(int device, int function, int register) =>
        0x8000_0000u | (uint)((device << 11) | (function << 8) | register);

    private uint Read(int register, int size = 4, int device = 5)
    {
        _ports.Write(0xCF8, 4, AddressOf(device, 0, register & 0xFC));
        return _ports.Read((ushort)(0xCFC + (register & 3)), size);
    }

    private void Write(int register, uint value, int size = 4)
    {
        _ports.Write(0xCF8, 4, AddressOf(5, 0, register & 0xFC));
        _ports.Write((ushort)(0xCFC + (register & 3)), size, value);
    }

    [Fact]
    public void Address_register_keeps_its_bits_and_takes_only_whole_writes()
    {
        _ports.Write(0xCF8, 4, 0xFFFF_FFFF);
        _ports.Read(0xCF8, 4).Should().Be(0x80FF_FFFC);
        _ports.Write(0xCF8, 2, 0);
        _ports.Write(0xCF8, 1, 0);
        _ports.Read(0xCF8, 4).Should().Be(0x80FF_FFFC);
        _ports.Read(0xCF8, 1).Should().Be(0xFF);
    }

    [Fact]
    public void Header_says_what_the_function_is_at_any_access_size()
    {
        Read(0).Should().Be(0x5678_1234);
        Read(2, 2).Should().Be(0x5678);
        Read(8).Should().Be(0x0200_0007);
        Read(0x0B, 1).Should().Be(2);
        Read(0x2C).Should().Be(0xBBBB_AAAA);
        Read(0x3D, 1).Should().Be(1);
        Read(0x0E, 1).Should().Be(0);
    }

    [Fact]
    public void Nobody_answers_other_devices_other_buses_and_a_disabled_address()
    {
        Read(0, 4, 6).Should().Be(0xFFFF_FFFF);
        _ports.Write(0xCF8, 4, AddressOf(5, 0, 0) | 0x1_0000);
        _ports.Read(0xCFC, 4).Should().Be(0xFFFF_FFFF);
        _ports.Write(0xCF8, 4, AddressOf(5, 0, 0) & 0x7FFF_FFFF);
        _ports.Read(0xCFC, 4).Should().Be(0xFFFF_FFFF);
    }

    [Fact]
    public void Access_past_the_data_register_reaches_only_the_bytes_inside()
    {
        Read(2, 4).Should().Be(0xFFFF_5678);
        Write(0x13, 0xFFFF_FFFF, 4);
        Read(0x10).Should().Be(0xFF00_0001);
        Read(0x14).Should().Be(0, "the next register is untouched");
    }

    [Fact]
    public void Read_only_registers_stay()
    {
        for (int register = 0; register < 256; register += 4)
        {
            uint before = Read(register);
            Write(register, ~before);
            uint writable = register switch
            {
                0x04 => 0x0000_0547,
                0x0C => 0x0000_FFFF,
                0x10 => 0xFFFF_FFE0,
                0x14 => 0xFFFF_C000,
                0x18 => 0xFFF0_0000,
                0x1C => 0xFFFF_FFFF,
                0x3C => 0x0000_00FF,
                _ => 0,
            };
            (Read(register) ^ before).Should().Be(writable, $"of register 0x{register:X}");
        }
    }

    [Theory]
    [InlineData(0x10, 0xFFFF_FFE1u), InlineData(0x14, 0xFFFF_C000u), InlineData(0x18, 0xFFF0_0004u), InlineData(0x1C, 0xFFFF_FFFFu)]
    [InlineData(0x20, 0u), InlineData(0x24, 0u), InlineData(0x30, 0u)]
    public void Window_tells_its_size_and_kind_when_sized(int register, uint expected)
    {
        Write(register, 0xFFFF_FFFF);
        Read(register).Should().Be(expected);
    }

    [Fact]
    public void Window_answers_only_while_decoded_and_follows_its_register()
    {
        Write(0x14, 0xE000_0000);
        _mmio.Read(0xE000_0004, 4).Should().Be(0xFFFF_FFFF);
        Write(0x04, 2, 2);
        _mmio.Read(0xE000_0004, 4).Should().Be(0x5566_7704);
        Write(0x14, 0xE100_0000);
        _mmio.Read(0xE000_0004, 4).Should().Be(0xFFFF_FFFF);
        _mmio.Write(0xE100_0008, 8, 0x99);
        _function.MemoryWindow.Writes.Should().Equal((8ul, 8, 0x99ul));
        Write(0x04, 0, 2);
        _mmio.Ranges.Should().BeEmpty();
    }

    [Fact]
    public void Window_of_64_bits_reaches_beyond_4_gib()
    {
        Write(0x18, 0x2000_0000);
        Write(0x1C, 0x10);
        Write(0x04, 2, 2);
        _mmio.Read(0x10_2000_0010, 1).Should().Be(0x10);
        _mmio.Ranges.Should().ContainSingle(range => range.Length == 0x10_0000);
    }

    [Fact]
    public void Window_of_ports_sees_offsets_and_no_access_beyond_its_end()
    {
        Write(0x10, 0xC040);
        Write(0x04, 1, 2);
        _ports.Read(0xC05F, 1).Should().Be(0x1F);
        _ports.Read(0xC05E, 4).Should().Be(0xFFFF_FFFF);
        _ports.Write(0xC044, 2, 0xABCD);
        _function.PortWindow.Writes.Should().Equal((4ul, 2, 0xABCDul));
    }

    [Fact]
    public void Window_over_another_device_waits_until_the_place_is_free()
    {
        IDisposable other = _mmio.Register(0xE000_2000, 16, _function.PortWindow);
        Write(0x14, 0xE000_0000);
        Write(0x04, 2, 2);
        _mmio.Read(0xE000_0000, 1).Should().Be(0xFF);
        other.Dispose();
        Write(0x04, 2, 2);
        _mmio.Read(0xE000_0000, 1).Should().Be(0);
    }

    [Fact]
    public void Windows_at_the_edges_of_the_spaces_do_no_harm()
    {
        Write(0x04, 3, 2);
        foreach (uint low in (uint[])[0, 0xFFFF_FFFF, 0x8000_0000])
        {
            foreach (int register in (int[])[0x10, 0x14, 0x18, 0x1C])
            {
                Write(register, low);
                _mmio.Ranges.Should().NotContain(range => range.Address == 0);
            }
        }
        Write(0x10, 0x0001_C000);
        _ports.Ranges.Should().NotContain(range => range.First == 0xC000, "there are only 65536 ports");
    }

    [Fact]
    public void Capabilities_form_a_list()
    {
        Read(0x06, 2).Should().Be(0x0010);
        Read(0x34, 1).Should().Be((uint)_function.FirstCapability);
        Read(_function.FirstCapability).Should().Be(0x0105_0009u | ((uint)_function.SecondCapability << 8));
        Read(_function.SecondCapability).Should().Be(0x0304_0009u);
    }

    [Fact]
    public void Pin_drives_its_line_unless_the_guest_forbids_it()
    {
        bool[] lines = new bool[4];
        _bus.ConnectInterrupts((line, level) => lines[line] = level);
        _function.SetInterrupt(true);
        lines.Should().Equal(true, false, false, false);
        Read(0x06, 2).Should().Be(0x0018);
        Read(0x04).Should().Be(0x0018_0000);
        Write(0x04, 0x400, 2);
        lines.Should().NotContain(true);
        Read(0x06, 2).Should().Be(0x0018, "the status says what the device wants");
        Write(0x04, 0, 2);
        lines[0].Should().BeTrue();
        _function.SetInterrupt(false);
        lines.Should().NotContain(true);
        Read(0x06, 2).Should().Be(0x0010);
    }

    [Fact]
    public void Line_is_shared_by_devices_four_apart()
    {
        TestFunction other = new();
        _bus.Add(9, 0, other);
        bool[] lines = new bool[4];
        _bus.ConnectInterrupts((line, level) => lines[line] = level);
        _function.SetInterrupt(true);
        other.SetInterrupt(true);
        _function.SetInterrupt(false);
        lines[0].Should().BeTrue("the other still wants it");
        other.SetInterrupt(false);
        lines[0].Should().BeFalse();
    }

    [Fact]
    public void Reset_undoes_everything_the_guest_did()
    {
        Write(0x14, 0xE000_0000);
        Write(0x04, 3, 2);
        _function.SetInterrupt(true);
        _bus.Reset();
        _mmio.Ranges.Should().BeEmpty();
        Read(0x14).Should().Be(0);
        Read(0x04).Should().Be(0x0010_0000);
        _ports.Read(0xCF8, 4).Should().Be(AddressOf(5, 0, 4));
    }

    [Fact]
    public void Places_can_be_taken_once_and_functions_need_a_first()
    {
        ((Action)(() => _bus.Add(5, 0, new TestFunction()))).Should().Throw<ArgumentException>();
        ((Action)(() => _bus.Add(6, 1, new TestFunction()))).Should().Throw<ArgumentException>();
        _bus.Add(5, 3, new TestFunction());
        Read(0x0E, 1).Should().Be(0x80, "the device now has several functions");
    }
}
