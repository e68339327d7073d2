using System.Text;

namespace Vmm.Devices.Tests;

/// <summary>Oracle: National Semiconductor PC16550D data sheet (tables 1, 2 and 4) and the interrupt wiring of a PC.</summary>
public sealed class Uart16550Tests : IDisposable
{
    private const ushort Port = 0x3F8;
    private const int Data = 0, Enable = 1, Identification = 2, Fifo = 2, LineControl = 3, ModemControl = 4;
    private const int LineStatus = 5, ModemStatus = 6, Scratch = 7;

    private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly TestLine _line = new();
    private readonly MemoryStream _sent = new();
    private readonly Uart16550 _uart;

    public Uart16550Tests()
    {
        _uart = new Uart16550(Port, _clock, _line, data => _sent.Write(data));
        Out(LineControl, 0x03);
        Out(ModemControl, 0x0B);
    }

    public void Dispose() => _uart.Dispose();

    private byte In(int register) => _uart.In((ushort)(Port + register));

    private void Out(int register, int value) => _uart.Out((ushort)(Port + register), value);

    private void Send(string text) => _uart.Receive(Encoding.Latin1.GetBytes(text)).Should().Be(text.Length);

    [Fact]
    public void Reset_state_is_the_data_sheets()
    {
        using Uart16550 uart = new(Port, _clock, _line, _ => { });
        uart.In(Port + Enable).Should().Be(0);
        uart.In(Port + Identification).Should().Be(0x01);
        uart.In(Port + LineControl).Should().Be(0);
        uart.In(Port + ModemControl).Should().Be(0);
        uart.In(Port + LineStatus).Should().Be(0x60);
        (uart.In(Port + ModemStatus) & 0x0F).Should().Be(0);
    }

    [Fact]
    public void Bytes_written_reach_the_sink_one_by_one()
    {
        foreach (char letter in "hello")
        {
            Out(Data, letter);
            Encoding.Latin1.GetString(_sent.ToArray()).Should().EndWith(letter.ToString());
            In(LineStatus).Should().Be(0x60);
        }
        Encoding.Latin1.GetString(_sent.ToArray()).Should().Be("hello");
    }

    [Fact]
    public void Bytes_pass_whole_before_the_port_is_set_up()
    {
        Out(LineControl, 0);
        Out(Data, 0xFF);
        _sent.ToArray().Should().Equal(0xFF);
    }

    [Fact]
    public void Divisor_latch_hides_data_and_enable()
    {
        Out(Enable, 0x05);
        Out(LineControl, 0x83);
        Out(Data, 0x34);
        Out(Enable, 0x12);
        In(Data).Should().Be(0x34);
        In(Enable).Should().Be(0x12);
        Out(LineControl, 0x03);
        In(Enable).Should().Be(0x05);
        _sent.Length.Should().Be(0);
    }

    [Fact]
    public void Scratch_keeps_any_byte()
    {
        foreach (int value in new[] { 0x00, 0x55, 0xAA, 0xFF })
        {
            Out(Scratch, value);
            In(Scratch).Should().Be((byte)value);
        }
    }

    [Fact]
    public void Enable_and_modem_control_keep_only_their_bits()
    {
        Out(Enable, 0xF0);
        In(Enable).Should().Be(0);
        Out(ModemControl, 0xE0);
        In(ModemControl).Should().Be(0);
    }

    [Fact]
    public void Identification_shows_the_fifos_when_enabled()
    {
        Out(Fifo, 0x01);
        In(Identification).Should().Be(0xC1);
        Out(Fifo, 0x00);
        In(Identification).Should().Be(0x01);
    }

    [Fact]
    public void Received_data_interrupts_and_reading_it_ends_that()
    {
        Out(Enable, 0x01);
        Send("A");
        _line.Level.Should().BeTrue();
        In(Identification).Should().Be(0x04);
        In(LineStatus).Should().Be(0x61);
        In(Data).Should().Be((byte)'A');
        In(LineStatus).Should().Be(0x60);
        In(Identification).Should().Be(0x01);
        _line.Level.Should().BeFalse();
    }

    [Theory]
    [InlineData(0x01, 1), InlineData(0x41, 4), InlineData(0x81, 8), InlineData(0xC1, 14)]
    public void Fifo_interrupts_at_its_trigger_level(int control, int trigger)
    {
        Out(Fifo, control);
        Out(Enable, 0x01);
        for (int count = 1; count <= trigger; count++)
        {
            _line.Level.Should().BeFalse($"{count - 1} of {trigger}");
            Send("x");
        }
        _line.Level.Should().BeTrue();
        In(Identification).Should().Be(0xC4);
    }

    [Fact]
    public void Fifo_below_its_trigger_times_out_after_four_characters()
    {
        Out(LineControl, 0x83);
        Out(Data, 1);
        Out(Enable, 0);
        Out(LineControl, 0x03);
        Out(Fifo, 0xC1);
        Out(Enable, 0x01);
        Send("ab");
        long fourCharacters = 4 * 10 * 1_000_000_000L / 115_200;
        _clock.Advance(fourCharacters - 100);
        _line.Level.Should().BeFalse();
        _clock.Advance(200);
        _line.Level.Should().BeTrue();
        In(Identification).Should().Be(0xCC);
        In(Data).Should().Be((byte)'a');
        _line.Level.Should().BeFalse("a read restarts the time");
        _clock.Advance(fourCharacters + 100);
        In(Identification).Should().Be(0xCC);
        In(Data).Should().Be((byte)'b');
        _clock.Advance(10 * fourCharacters);
        _line.Level.Should().BeFalse();
    }

    [Fact]
    public void Transmitter_interrupt_comes_when_enabled_and_after_each_byte()
    {
        Out(Enable, 0x02);
        _line.Level.Should().BeTrue();
        In(Identification).Should().Be(0x02);
        _line.Level.Should().BeFalse("reading the identification ends it");
        In(Identification).Should().Be(0x01);
        Out(Data, 'x');
        _line.Level.Should().BeTrue();
        Out(Enable, 0x00);
        _line.Level.Should().BeFalse();
        Out(Enable, 0x02);
        _line.Level.Should().BeTrue();
    }

    [Fact]
    public void Identification_ranks_line_status_data_transmitter_modem()
    {
        Out(Enable, 0x0F);
        Out(ModemControl, 0x1A);
        Out(Data, 1);
        Out(Data, 2);
        In(Identification).Should().Be(0x06, "the second byte overran the first");
        In(LineStatus).Should().Be(0x63);
        In(Identification).Should().Be(0x04);
        In(Data).Should().Be(2, "without the FIFO the newer byte is kept");
        In(Identification).Should().Be(0x02);
        In(Identification).Should().Be(0x00);
        In(ModemStatus).Should().NotBe(0);
        In(Identification).Should().Be(0x01);
    }

    [Fact]
    public void Line_is_gated_by_out2()
    {
        Out(ModemControl, 0x03);
        Out(Enable, 0x02);
        _line.Level.Should().BeFalse();
        In(Identification).Should().Be(0x02);
        Out(Data, 'x');
        Out(ModemControl, 0x0B);
        _line.Level.Should().BeTrue();
    }

    [Theory]
    [InlineData(0x10, 0x00), InlineData(0x11, 0x20), InlineData(0x12, 0x10)]
    [InlineData(0x14, 0x40), InlineData(0x18, 0x80), InlineData(0x1A, 0x90)]
    public void Loopback_reports_the_modem_control_lines(int control, int status)
    {
        Out(ModemControl, control);
        (In(ModemStatus) & 0xF0).Should().Be(status);
    }

    [Fact]
    public void Loopback_reports_changes_and_ring_only_at_its_end()
    {
        Out(ModemControl, 0x10);
        In(ModemStatus);
        Out(ModemControl, 0x1F);
        In(ModemStatus).Should().Be(0xFB, "RI rose, which does not count");
        In(ModemStatus).Should().Be(0xF0, "reading cleared the changes");
        Out(ModemControl, 0x10);
        In(ModemStatus).Should().Be(0x0F);
    }

    [Fact]
    public void Loopback_returns_data_and_sends_none()
    {
        Out(ModemControl, 0x10);
        Out(Fifo, 0x01);
        for (int value = 0; value < 16; value++)
            Out(Data, value);
        In(LineStatus).Should().Be(0x61);
        Out(Data, 99);
        In(LineStatus).Should().Be(0x63, "the 17th overran");
        for (int value = 0; value < 16; value++)
            In(Data).Should().Be((byte)value);
        In(LineStatus).Should().Be(0x60);
        _sent.Length.Should().Be(0);
    }

    [Fact]
    public void Loopback_holds_the_hosts_bytes_back()
    {
        Out(ModemControl, 0x10);
        Send("later");
        In(LineStatus).Should().Be(0x60);
        Out(ModemControl, 0x0B);
        In(LineStatus).Should().Be(0x61);
        In(Data).Should().Be((byte)'l');
    }

    [Fact]
    public void Break_is_a_zero_with_its_status_bit()
    {
        Out(Enable, 0x04);
        _uart.ReceiveBreak().Should().BeTrue();
        In(Identification).Should().Be(0x06);
        In(LineStatus).Should().Be(0x71);
        In(LineStatus).Should().Be(0x61);
        In(Data).Should().Be(0);
    }

    [Fact]
    public void Fifo_error_bit_tells_of_any_character_inside()
    {
        Out(Fifo, 0x01);
        Send("ab");
        _uart.ReceiveBreak();
        In(LineStatus).Should().Be(0xE1, "the break is not at the top yet");
        In(Data);
        In(Data);
        In(LineStatus).Should().Be(0xF1);
        In(LineStatus).Should().Be(0x61);
    }

    [Theory]
    [InlineData(0x03), InlineData(0x00)]
    public void Fifo_control_clears_what_was_received(int control)
    {
        Out(Fifo, 0x01);
        Send("abc");
        Out(Fifo, control);
        In(LineStatus).Should().Be(0x60);
    }

    [Fact]
    public void Host_bytes_beyond_the_limit_are_refused_and_none_is_lost()
    {
        byte[] data = new byte[3 * Uart16550.WaitingLimit];
        new Random(1).NextBytes(data);
        Out(Fifo, 0x01);
        int taken = 0;
        List<byte> read = [];
        while (read.Count < data.Length)
        {
            taken += _uart.Receive(data.AsSpan(taken));
            (taken - read.Count).Should().BeLessThanOrEqualTo(Uart16550.WaitingLimit + 16);
            for (int count = 0; count < 1000 && (In(LineStatus) & 1) != 0; count++)
                read.Add(In(Data));
        }
        read.Should().Equal(data);
    }

    [Fact]
    public async Task Host_waits_for_room_and_may_be_cancelled()
    {
        byte[] data = new byte[2 * Uart16550.WaitingLimit];
        new Random(2).NextBytes(data);
        ValueTask sending = _uart.ReceiveAsync(data);
        sending.IsCompleted.Should().BeFalse();
        List<byte> read = [];
        DateTime limit = DateTime.UtcNow.AddSeconds(20);
        while (read.Count < data.Length && DateTime.UtcNow < limit)
        {
            if ((In(LineStatus) & 1) != 0)
                read.Add(In(Data));
        }
        await sending;
        read.Should().Equal(data);

        _uart.Receive(data);
        using CancellationTokenSource source = new();
        ValueTask stuck = _uart.ReceiveAsync(data, source.Token);
        await source.CancelAsync();
        await stuck.AsTask().Invoking(task => task).Should().ThrowAsync<OperationCanceledException>();
    }
}
