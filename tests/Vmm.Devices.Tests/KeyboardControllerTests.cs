namespace Vmm.Devices.Tests;

/// <summary>Oracle: IBM PS/2 Hardware Interface Technical Reference; the probing sequence is what PC systems do at start.</summary>
public sealed class KeyboardControllerTests
{
    private readonly TestLine _line = new();
    private readonly PowerControl _power = new();
    private readonly A20Gate _a20 = new();
    private readonly KeyboardController _controller;

    public KeyboardControllerTests() => _controller = new KeyboardController(_line, _power, _a20);

    private void Command(int command) => _controller.Out(0x64, command);

    private byte Answer()
    {
        (_controller.In(0x64) & 1).Should().Be(1, "an answer is there");
        return _controller.In(0x60);
    }

    private void HasNoAnswer() => (_controller.In(0x64) & 1).Should().Be(0);

    [Fact]
    public void Self_tests_pass()
    {
        HasNoAnswer();
        Command(0xAA);
        Answer().Should().Be(0x55);
        Command(0xAB);
        Answer().Should().Be(0x00);
        HasNoAnswer();
    }

    [Fact]
    public void Command_byte_is_kept_and_the_auxiliary_port_stays_disabled()
    {
        Command(0x60);
        _controller.Out(0x60, 0x45);
        Command(0x20);
        Answer().Should().Be(0x65);
        Command(0xA8);
        Command(0x20);
        Answer().Should().Be(0x65);
    }

    [Fact]
    public void Auxiliary_port_is_plainly_absent()
    {
        Command(0xD3);
        _controller.Out(0x60, 0x5A);
        (_controller.In(0x64) & 0x21).Should().Be(0x01, "the byte comes back as the keyboard's");
        Answer().Should().Be(0x5A);
        Command(0xA9);
        Answer().Should().Be(0x02);
        Command(0xD4);
        _controller.Out(0x60, 0xF2);
        HasNoAnswer();
    }

    [Fact]
    public void Keyboard_answers_reset_identity_and_settings()
    {
        _controller.Out(0x60, 0xFF);
        Answer().Should().Be(0xFA);
        Answer().Should().Be(0xAA);
        _controller.Out(0x60, 0xF2);
        new[] { Answer(), Answer(), Answer() }.Should().Equal(new byte[] { 0xFA, 0xAB, 0x41 }, "the controller translates at first");
        Command(0x60);
        _controller.Out(0x60, 0x04);
        _controller.Out(0x60, 0xF2);
        new[] { Answer(), Answer(), Answer() }.Should().Equal(0xFA, 0xAB, 0x83);
        _controller.Out(0x60, 0xED);
        Answer().Should().Be(0xFA);
        _controller.Out(0x60, 0x02);
        Answer().Should().Be(0xFA);
        _controller.Out(0x60, 0xF0);
        Answer();
        _controller.Out(0x60, 0x01);
        Answer().Should().Be(0xFA);
        _controller.Out(0x60, 0xF0);
        Answer();
        _controller.Out(0x60, 0x00);
        new[] { Answer(), Answer() }.Should().Equal(0xFA, 0x01);
        _controller.Out(0x60, 0x77);
        Answer().Should().Be(0xFE);
        HasNoAnswer();
    }

    [Fact]
    public void Line_rises_for_each_byte_while_enabled()
    {
        _controller.Out(0x60, 0xF2);
        _line.Rises.Should().Be(0);
        Command(0x60);
        _controller.Out(0x60, 0x41);
        _line.Rises.Should().Be(1);
        Answer();
        _line.Rises.Should().Be(2);
        Answer();
        Answer();
        _line.Rises.Should().Be(3);
        _line.Level.Should().BeFalse();
    }

    [Fact]
    public void Status_tells_command_from_data()
    {
        Command(0xAD);
        (_controller.In(0x64) & 0x08).Should().Be(0x08);
        _controller.Out(0x60, 0xF4);
        (_controller.In(0x64) & 0x08).Should().Be(0);
        (_controller.In(0x64) & 0x14).Should().Be(0x14, "self-test passed, not locked");
    }

    [Fact]
    public void Pulse_of_line_0_asks_for_a_reset()
    {
        Command(0xFF);
        Command(0xF1);
        _power.Pending.Should().BeNull();
        Command(0xFE);
        _power.Pending.Should().Be(new PowerEvent(PowerEventKind.Reset, "keyboard controller"));
    }

    [Fact]
    public void Output_port_holds_a20_and_reset()
    {
        Command(0xD0);
        (Answer() & 0x03).Should().Be(0x03);
        Command(0xD1);
        _controller.Out(0x60, 0xDD);
        _a20.Enabled.Should().BeFalse();
        Command(0xD0);
        (Answer() & 0x03).Should().Be(0x01);
        _power.Pending.Should().BeNull();
        Command(0xD1);
        _controller.Out(0x60, 0xDE);
        _a20.Enabled.Should().BeTrue();
        _power.Pending!.Value.Kind.Should().Be(PowerEventKind.Reset);
    }

    [Fact]
    public void Answers_never_read_do_not_pile_up()
    {
        for (int count = 0; count < 100_000; count++)
            _controller.Out(0x60, 0xF2);
        int answers = 0;
        for (; (_controller.In(0x64) & 1) != 0; answers++)
            _controller.In(0x60);
        answers.Should().BeInRange(1, 64);
    }
}
