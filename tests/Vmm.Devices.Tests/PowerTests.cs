namespace Vmm.Devices.Tests;

public sealed class PowerTests
{
    private readonly PowerControl _power = new();
    private readonly A20Gate _a20 = new();

    [Fact]
    public void First_request_is_latched_and_announced_until_taken()
    {
        List<PowerEvent> announced = [];
        _power.Requested += announced.Add;
        PowerEvent first = new(PowerEventKind.PowerOff, "test");
        _power.Request(first);
        _power.Request(new PowerEvent(PowerEventKind.Reset, "test"));
        _power.Pending.Should().Be(first);
        announced.Should().Equal(first);
        _power.Take().Should().Be(first);
        _power.Take().Should().BeNull();
        _power.Request(new PowerEvent(PowerEventKind.Reset, "test"));
        announced.Should().HaveCount(2);
    }

    [Theory]
    [InlineData(1, 0x31u), InlineData(2, 0x4321u), InlineData(4, 0x87654321u)]
    public void Debug_exit_carries_the_value(int size, uint value)
    {
        DebugExitPort device = new(_power);
        device.Read(0xF4, size).Should().Be(0);
        device.Write(0xF4, size, value);
        _power.Pending.Should().Be(new PowerEvent(PowerEventKind.DebugExit, "debug-exit port 0xF4", value));
    }

    [Fact]
    public void Port_92_switches_a20_and_resets_on_the_rise_of_bit_0()
    {
        SystemControlPortA port = new(_power, _a20);
        port.In(0x92).Should().Be(0x02);
        port.Out(0x92, 0x00);
        _a20.Enabled.Should().BeFalse();
        port.In(0x92).Should().Be(0x00);
        port.Out(0x92, 0x02);
        _a20.Enabled.Should().BeTrue();
        _power.Pending.Should().BeNull();
        port.Out(0x92, 0x03);
        _power.Take().Should().Be(new PowerEvent(PowerEventKind.Reset, "port 0x92"));
        port.Out(0x92, 0x03);
        _power.Pending.Should().BeNull("the bit did not rise");
    }

    [Fact]
    public void Port_cf9_resets_on_the_rise_of_bit_2()
    {
        ResetControl port = new(_power);
        port.Out(0xCF9, 0x02);
        port.In(0xCF9).Should().Be(0x02);
        _power.Pending.Should().BeNull();
        port.Out(0xCF9, 0x06);
        _power.Take().Should().Be(new PowerEvent(PowerEventKind.Reset, "port 0xCF9"));
        port.Out(0xCF9, 0x0E);
        _power.Pending.Should().BeNull();
    }
}
