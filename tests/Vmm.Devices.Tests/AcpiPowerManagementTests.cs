namespace Vmm.Devices.Tests;

/// <summary>Oracle: ACPI 6.4, 4.8.3 (PM1 event, enable and control registers, power management timer).</summary>
public sealed class AcpiPowerManagementTests : IDisposable
{
    private const ushort Status = 0x600;
    private const ushort Enable = 0x602;
    private const ushort Control = 0x604;
    private const ushort Timer = 0x608;

    private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly TestLine _line = new();
    private readonly PowerControl _power = new();
    private readonly PortBus _registers = new();
    private readonly AcpiPowerManagement _device;

    public AcpiPowerManagementTests()
    {
        _device = new AcpiPowerManagement(_clock, _line, _power);
        _registers.Register(AcpiPowerManagement.StandardPort, AcpiPowerManagement.PortCount, _device);
    }

    public void Dispose() => _device.Dispose();

    [Fact]
    public void Timer_counts_3579545_ticks_a_second_in_24_bits()
    {
        _registers.Read(Timer, 4).Should().Be(0);
        _clock.Advance(1_000_000_000);
        _registers.Read(Timer, 4).Should().Be(3_579_545);
        _registers.Read(Timer + 1, 2).Should().Be((3_579_545 >> 8) & 0xFFFF);
        _clock.Advance(9_000_000_000);
        _registers.Read(Timer, 4).Should().Be(35_795_450 & 0xFF_FFFF);
    }

    [Fact]
    public void Timer_cannot_be_written()
    {
        _clock.Advance(1_000_000);
        _registers.Write(Timer, 4, 0);
        _registers.Read(Timer, 4).Should().Be(3579);
    }

    [Fact]
    public void Timer_status_follows_the_highest_bit_and_interrupts_when_enabled()
    {
        // 2^23 ticks take 2.343484 s.
        _clock.Advance(2_343_400_000);
        _registers.Read(Status, 2).Should().Be(0);
        _clock.HasArmedTimers.Should().BeFalse("the interrupt is not enabled");
        _clock.Advance(100_000);
        _registers.Read(Status, 2).Should().Be(1);
        _line.Level.Should().BeFalse();
        _registers.Write(Enable, 2, 1);
        _line.Level.Should().BeTrue();
        _registers.Write(Status, 2, 1);
        _line.Level.Should().BeFalse();
        _clock.Advance(2_343_300_000);
        _line.Level.Should().BeFalse();
        _clock.Advance(200_000);
        _line.Level.Should().BeTrue("the callback came");
        _registers.Write(Enable, 2, 0);
        _line.Level.Should().BeFalse();
    }

    [Fact]
    public void Power_button_interrupts_until_its_status_is_cleared_by_writing_one()
    {
        _registers.Write(Enable, 2, 0x100);
        _device.PressPowerButton();
        _line.Level.Should().BeTrue();
        _registers.Read(Status, 2).Should().Be(0x100);
        _registers.Write(Status, 2, 0);
        _line.Level.Should().BeTrue();
        _registers.Write(Status + 1, 1, 1);
        _line.Level.Should().BeFalse();
        _registers.Read(Status, 2).Should().Be(0);
    }

    [Fact]
    public void Enable_bits_without_an_event_read_zero()
    {
        _registers.Write(Enable, 2, 0xFFFF);
        _registers.Read(Enable, 2).Should().Be(0x0521);
        _registers.Read(Status, 4).Should().Be(0x0521_0000);
    }

    [Fact]
    public void Acpi_mode_is_on_and_cannot_be_left()
    {
        _registers.Write(Control, 2, 0);
        _registers.Read(Control, 2).Should().Be(1);
    }

    [Fact]
    public void Sleep_enable_with_the_type_of_soft_off_switches_off()
    {
        _registers.Write(Control, 2, 0x0002);
        _power.Pending.Should().BeNull();
        _registers.Write(Control, 2, 0x2000);
        _power.Pending!.Value.Kind.Should().Be(PowerEventKind.PowerOff);
        _registers.Read(Control, 2).Should().Be(1, "SLP_EN reads as zero");
    }

    [Theory]
    [InlineData(1), InlineData(5), InlineData(7)]
    public void Sleep_types_that_are_not_there_do_nothing(int type)
    {
        _registers.Write(Control, 2, (uint)(0x2000 | type << 10));
        _power.Pending.Should().BeNull();
        (_registers.Read(Control, 2) >> 10 & 7).Should().Be((uint)type);
    }

    [Fact]
    public void Byte_writes_switch_off_as_well()
    {
        _registers.Write(Control + 1, 1, 0x20);
        _power.Pending!.Value.Kind.Should().Be(PowerEventKind.PowerOff);
    }
}
