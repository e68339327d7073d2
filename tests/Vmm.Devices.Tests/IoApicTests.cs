namespace Vmm.Devices.Tests;

/// <summary>Oracle: Intel 82093AA data sheet (order 290566), chapter 3, and the EOI register as in ICH data sheets.</summary>
public sealed class IoApicTests
{
    private const ulong Index = 0x00;
    private const ulong Window = 0x10;
    private const ulong End = 0x40;
    private const uint Masked = 0x1_0000;
    private const uint Level = 0x8000;
    private const uint RemoteRequest = 0x4000;

    private readonly List<InterruptRequest> _sent = [];
    private readonly IoApic _ioApic;

    public IoApicTests() => _ioApic = new IoApic((in InterruptRequest request) => _sent.Add(request));

    private uint Read(uint register)
    {
        _ioApic.Write(Index, 4, register);
        return (uint)_ioApic.Read(Window, 4);
    }

    private void Write(uint register, uint value)
    {
        _ioApic.Write(Index, 4, register);
        _ioApic.Write(Window, 4, value);
    }

    private uint Entry(int input) => Read(0x10 + 2 * (uint)input);

    private void SetEntry(int input, uint low, uint high = 0)
    {
        Write(0x11 + 2 * (uint)input, high);
        Write(0x10 + 2 * (uint)input, low);
    }

    private void Set(int input, bool level) => _ioApic.GetInput(input).Set(level);

    private void Pulse(int input)
    {
        Set(input, true);
        Set(input, false);
    }

    [Fact]
    public void Version_is_0x20_with_24_entries() => Read(1).Should().Be(0x0017_0020);

    [Fact]
    public void Entries_after_reset_are_masked_and_send_nothing()
    {
        for (int input = 0; input < 24; input++)
        {
            Entry(input).Should().Be(Masked);
            Read(0x11 + 2 * (uint)input).Should().Be(0);
            Pulse(input);
        }
        _sent.Should().BeEmpty();
    }

    [Fact]
    public void Identification_keeps_its_four_bits_and_shows_in_the_arbitration_register()
    {
        Write(0, 0xFFFF_FFFF);
        Read(0).Should().Be(0x0F00_0000);
        Read(2).Should().Be(0x0F00_0000);
        Write(1, 0);
        Read(1).Should().Be(0x0017_0020, "it is read-only");
    }

    [Fact]
    public void Read_only_and_reserved_bits_of_an_entry_stay_zero()
    {
        SetEntry(3, 0xFFFF_FFFF, 0xFFFF_FFFF);
        Entry(3).Should().Be(0x0001_AFFF);
        Read(0x17).Should().Be(0xFF00_0000);
    }

    [Fact]
    public void Registers_that_are_not_there_read_zero_and_ignore_writes()
    {
        Write(0x40, 0x1234);
        Read(0x40).Should().Be(0);
        Read(3).Should().Be(0);
        _ioApic.Read(0x20, 4).Should().Be(0);
    }

    [Fact]
    public void Index_is_a_byte_that_can_be_read_back()
    {
        _ioApic.Write(Index, 4, 0xABCD_EF01);
        _ioApic.Read(Index, 4).Should().Be(0x01);
        _ioApic.Read(Window, 4).Should().Be(0x0017_0020);
        _ioApic.Read(Window + 2, 2).Should().Be(0x0017);
    }

    [Fact]
    public void Window_takes_whole_registers_only()
    {
        _ioApic.Write(Index, 1, 0x10);
        _ioApic.Write(Window, 1, 0);
        Entry(0).Should().Be(Masked);
    }

    [Fact]
    public void Edge_is_sent_once_each_time_the_input_rises()
    {
        SetEntry(4, 0x0000_0931, 0x0200_0000);
        Set(4, true);
        Set(4, true);
        _sent.Should().Equal(new InterruptRequest
        {
            Vector = 0x31,
            Mode = InterruptDeliveryMode.LowestPriority,
            Destination = 2,
            Logical = true,
        });
        Set(4, false);
        Set(4, true);
        _sent.Should().HaveCount(2);
        (Entry(4) & RemoteRequest).Should().Be(0);
    }

    [Fact]
    public void Edge_on_a_masked_input_is_forgotten()
    {
        SetEntry(4, Masked | 0x31);
        Set(4, true);
        SetEntry(4, 0x31);
        _sent.Should().BeEmpty();
        Set(4, false);
        Set(4, true);
        _sent.Should().ContainSingle();
    }

    [Fact]
    public void Level_is_sent_once_until_its_end_and_again_while_it_stays()
    {
        SetEntry(16, Level | 0x41, 0x0300_0000);
        Set(16, true);
        _sent.Should().Equal(new InterruptRequest { Vector = 0x41, Destination = 3, LevelTriggered = true });
        (Entry(16) & RemoteRequest).Should().NotBe(0);
        Set(16, false);
        Set(16, true);
        _sent.Should().ContainSingle("its end has not been seen");
        _ioApic.EndOfInterrupt(0x41);
        _sent.Should().HaveCount(2);
        Set(16, false);
        _ioApic.EndOfInterrupt(0x41);
        _sent.Should().HaveCount(2);
        (Entry(16) & RemoteRequest).Should().Be(0);
        Set(16, true);
        _sent.Should().HaveCount(3);
    }

    [Fact]
    public void End_of_another_vector_changes_nothing()
    {
        SetEntry(16, Level | 0x41);
        Set(16, true);
        _ioApic.EndOfInterrupt(0x42);
        (Entry(16) & RemoteRequest).Should().NotBe(0);
        _sent.Should().ContainSingle();
    }

    [Fact]
    public void End_reaches_every_input_of_the_vector()
    {
        SetEntry(16, Level | 0x41);
        SetEntry(17, Level | 0x41);
        Set(16, true);
        Set(17, true);
        _ioApic.EndOfInterrupt(0x41);
        _sent.Should().HaveCount(4);
    }

    [Fact]
    public void Level_on_a_masked_input_is_sent_when_unmasked()
    {
        Set(17, true);
        SetEntry(17, Level | Masked | 0x41);
        _sent.Should().BeEmpty();
        SetEntry(17, Level | 0x41);
        _sent.Should().ContainSingle();
        SetEntry(17, Level | Masked | 0x41);
        _ioApic.EndOfInterrupt(0x41);
        _sent.Should().ContainSingle("it is masked");
        SetEntry(17, Level | 0x41);
        _sent.Should().HaveCount(2);
    }

    [Fact]
    public void End_of_interrupt_register_acts_as_an_end()
    {
        SetEntry(20, Level | 0x55);
        Set(20, true);
        _ioApic.Write(End, 4, 0x55);
        _sent.Should().HaveCount(2);
    }

    [Fact]
    public void Switching_to_edge_and_back_clears_the_remote_request()
    {
        SetEntry(20, Level | 0x55);
        Set(20, true);
        Set(20, false);
        SetEntry(20, Masked | 0x55);
        SetEntry(20, Masked | Level | 0x55);
        (Entry(20) & RemoteRequest).Should().Be(0);
    }

    [Theory]
    [InlineData(4u, InterruptDeliveryMode.NonMaskable), InlineData(5u, InterruptDeliveryMode.Init), InlineData(7u, InterruptDeliveryMode.External)]
    public void Other_delivery_modes_are_edges_whatever_the_trigger_bit_says(uint code, InterruptDeliveryMode mode)
    {
        SetEntry(0, Level | (code << 8) | 0x20);
        Set(0, true);
        _sent.Should().Equal(new InterruptRequest { Vector = 0x20, Mode = mode });
        (Entry(0) & RemoteRequest).Should().Be(0);
    }

    [Theory]
    [InlineData(2u), InlineData(3u), InlineData(6u)]
    public void System_management_and_reserved_modes_send_nothing(uint code)
    {
        SetEntry(0, code << 8);
        Pulse(0);
        _sent.Should().BeEmpty();
    }

    [Fact]
    public void Receiver_may_end_the_interrupt_from_within()
    {
        IoApic? ioApic = null;
        int count = 0;
        ioApic = new IoApic((in InterruptRequest request) =>
        {
            if (++count < 5)
                ioApic!.EndOfInterrupt(request.Vector);
        });
        ioApic.Write(Index, 4, 0x10);
        ioApic.Write(Window, 4, Level | 0x30);
        ioApic.GetInput(0).Set(true);
        count.Should().Be(5, "no lock is held and the line stays asserted");
    }
}
