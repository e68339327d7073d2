namespace Vmm.Devices.Tests;

/// <summary>Oracle: Motorola MC146818A data sheet and the use of its bytes on a PC.</summary>
public sealed class RealTimeClockTests : IDisposable
{
    private const long Second = 1_000_000_000;

    private readonly VirtualClock _clock = new(new DateTimeOffset(2024, 2, 28, 23, 59, 58, TimeSpan.Zero));
    private readonly TestLine _line = new();
    private readonly RealTimeClock _rtc;

    public RealTimeClockTests() => _rtc = new RealTimeClock(_clock, _line);

    public void Dispose() => _rtc.Dispose();

    private byte Get(int index)
    {
        _rtc.Out(0x70, index);
        return _rtc.In(0x71);
    }

    private void Set(int index, int value)
    {
        _rtc.Out(0x70, index);
        _rtc.Out(0x71, value);
    }

    private byte[] Time() => [Get(0x32), Get(9), Get(8), Get(7), Get(6), Get(4), Get(2), Get(0)];

    [Fact]
    public void Time_is_shown_in_bcd_and_24_hours_at_start() =>
        Time().Should().Equal(0x20, 0x24, 0x02, 0x28, 4, 0x23, 0x59, 0x58);

    [Fact]
    public void Time_counts_through_a_leap_day()
    {
        _clock.Advance(2 * Second);
        Time().Should().Equal(0x20, 0x24, 0x02, 0x29, 5, 0x00, 0x00, 0x00);
        _clock.Advance(86_400 * Second);
        Time().Should().Equal(0x20, 0x24, 0x03, 0x01, 6, 0x00, 0x00, 0x00);
    }

    [Theory]
    [InlineData(0x02, 0, 0x00), InlineData(0x02, 12, 0x12), InlineData(0x02, 13, 0x13), InlineData(0x02, 23, 0x23)]
    [InlineData(0x00, 0, 0x12), InlineData(0x00, 1, 0x01), InlineData(0x00, 11, 0x11)]
    [InlineData(0x00, 12, 0x92), InlineData(0x00, 13, 0x81), InlineData(0x00, 23, 0x91)]
    [InlineData(0x06, 23, 23), InlineData(0x04, 0, 12), InlineData(0x04, 12, 0x8C), InlineData(0x04, 23, 0x8B)]
    public void Hours_follow_the_format_both_ways(int format, int hour, int expected)
    {
        Set(0x0B, 0x80 | format);
        Set(4, expected);
        Set(0x0B, format);
        Get(4).Should().Be((byte)expected);
        Set(0x0B, 0x06);
        Get(4).Should().Be((byte)hour);
    }

    [Fact]
    public void Binary_mode_shows_binary()
    {
        Set(0x0B, 0x06);
        Time().Should().Equal(20, 24, 2, 28, 4, 23, 59, 58);
    }

    [Fact]
    public void Set_mode_freezes_the_bytes_and_time_goes_on_from_what_was_written()
    {
        Set(0x0B, 0x82);
        _clock.Advance(10 * Second);
        Get(0).Should().Be(0x58);
        Get(0x0A).Should().Be(0x26, "no update in progress while SET is on");
        byte[] values = [0x19, 0x99, 0x12, 0x31, 6, 0x23, 0x59, 0x59];
        int[] indices = [0x32, 9, 8, 7, 6, 4, 2, 0];
        for (int field = 0; field < values.Length; field++)
            Set(indices[field], values[field]);
        Set(0x0B, 0x02);
        Time().Should().Equal(values);
        _clock.Advance(Second);
        Time().Should().Equal(0x20, 0x00, 0x01, 0x01, 7, 0x00, 0x00, 0x00);
    }

    [Fact]
    public void Single_field_may_be_written_while_running()
    {
        Set(2, 0x30);
        Time().Should().Equal(0x20, 0x24, 0x02, 0x28, 4, 0x23, 0x30, 0x58);
    }

    [Fact]
    public void Any_bytes_written_as_time_are_survived()
    {
        Random random = new(7);
        for (int round = 0; round < 5_000; round++)
        {
            Set(random.Next(0, 0x0C), random.Next(256));
            Set(0x32, random.Next(256));
            _clock.Advance(random.NextInt64(0, 100_000 * Second));
            for (int index = 0; index < 0x0D; index++)
                Get(index);
        }
    }

    [Fact]
    public void Update_in_progress_is_announced_2228_microseconds_before_the_second()
    {
        Get(0x0A).Should().Be(0x26);
        _clock.Advance(Second - 2_228_000 - 1);
        Get(0x0A).Should().Be(0x26);
        _clock.Advance(1);
        Get(0x0A).Should().Be(0xA6);
        Get(0).Should().Be(0x58);
        _clock.Advance(2_227_999);
        Get(0x0A).Should().Be(0xA6);
        _clock.Advance(1);
        Get(0x0A).Should().Be(0x26);
        Get(0).Should().Be(0x59);
    }

    [Fact]
    public void Divider_reset_stops_the_time_and_release_counts_half_a_second()
    {
        Set(0x0A, 0x76);
        _clock.Advance(100 * Second);
        Get(0).Should().Be(0x58);
        Set(0x0A, 0x26);
        _clock.Advance(Second / 2 - 1);
        Get(0).Should().Be(0x58);
        _clock.Advance(1);
        Get(0).Should().Be(0x59);
    }

    [Theory]
    [InlineData(1, 3_906_250), InlineData(2, 7_812_500), InlineData(3, 122_070), InlineData(6, 976_562), InlineData(8, 3_906_250)]
    [InlineData(9, 7_812_500), InlineData(15, 500_000_000)]
    public void Periodic_interrupt_follows_the_rate(int rate, long period)
    {
        Set(0x0A, 0x20 | rate);
        Set(0x0B, 0x42);
        int count = 0;
        long start = _clock.Nanoseconds;
        while (_clock.Nanoseconds - start < Second)
        {
            _clock.AdvanceTo(_clock.NextDeadline!.Value);
            _line.Level.Should().BeTrue();
            (Get(0x0C) & 0xC0).Should().Be(0xC0);
            _line.Level.Should().BeFalse();
            count++;
        }
        ((double)count).Should().BeApproximately((double)Second / period, 1.001);
    }

    [Fact]
    public void Rate_0_makes_no_periodic_interrupt()
    {
        Set(0x0A, 0x20);
        Set(0x0B, 0x42);
        _clock.HasArmedTimers.Should().BeFalse();
        _clock.Advance(3 * Second);
        _line.Level.Should().BeFalse();
    }

    [Fact]
    public void Update_interrupt_comes_with_each_second_once_acknowledged()
    {
        Set(0x0B, 0x12);
        _clock.Advance(Second - 1);
        _line.Level.Should().BeFalse();
        _clock.Advance(1);
        _line.Level.Should().BeTrue();
        _clock.Advance(3 * Second);
        _line.Rises.Should().Be(1);
        Get(0x0C).Should().Be(0x90 | 0x60, "midnight's alarm and the periodic flag are set too, though not enabled");
        _line.Level.Should().BeFalse();
        _clock.Advance(Second);
        _line.Rises.Should().Be(2);
    }

    [Fact]
    public void Flags_are_set_though_not_enabled_and_reading_clears_them()
    {
        Set(0x0A, 0x20);
        Get(0x0C);
        _clock.Advance(Second);
        Get(0x0C).Should().Be(0x10);
        Get(0x0C).Should().Be(0);
        _line.Rises.Should().Be(0);
    }

    [Fact]
    public void Enabling_an_interrupt_whose_flag_is_set_makes_it_at_once()
    {
        Set(0x0A, 0x20);
        _clock.Advance(Second);
        Set(0x0B, 0x12);
        _line.Level.Should().BeTrue();
    }

    [Theory]
    [InlineData(0x00, 0x00, 0x00, 2)]
    [InlineData(0x59, 0x59, 0x23, 1)]
    [InlineData(0x58, 0x59, 0x23, 86_400)]
    [InlineData(0xC0, 0xFF, 0xC5, 1)]
    [InlineData(0x05, 0xFF, 0xFF, 7)]
    [InlineData(0x05, 0x03, 0xFF, 187)]
    [InlineData(0xFF, 0x03, 0x01, 3_782)]
    [InlineData(0xFF, 0x59, 0x23, 1)]
    [InlineData(0x30, 0x15, 0x12, 44_132)]
    public void Alarm_rings_at_the_first_match(int second, int minute, int hour, long expected)
    {
        Set(0x0A, 0x20);
        Set(1, second);
        Set(3, minute);
        Set(5, hour);
        Get(0x0C);
        Set(0x0B, 0x22);
        _clock.Advance(expected * Second - 1);
        _line.Level.Should().BeFalse();
        _clock.Advance(1);
        _line.Level.Should().BeTrue();
        (Get(0x0C) & 0xA0).Should().Be(0xA0);
    }

    [Fact]
    public void Alarm_that_cannot_match_never_rings()
    {
        Set(1, 0x75);
        Set(0x0B, 0x22);
        _clock.HasArmedTimers.Should().BeFalse();
        _clock.Advance(3 * 86_400 * Second);
        _line.Level.Should().BeFalse();
    }

    [Fact]
    public void Alarm_agrees_with_a_search_second_by_second()
    {
        Random random = new(3);
        for (int round = 0; round < 40; round++)
        {
            VirtualClock clock = new(new DateTimeOffset(2001, 5, 5, random.Next(24), random.Next(60), random.Next(60), TimeSpan.Zero));
            TestLine line = new();
            using RealTimeClock rtc = new(clock, line);
            int[] alarm = [random.Next(60), random.Next(60), random.Next(24)];
            for (int field = 0; field < 3; field++)
            {
                if (random.Next(3) == 0)
                    alarm[field] = 0xFF;
                rtc.Out(0x70, 1 + 2 * field);
                rtc.Out(0x71, alarm[field]);
            }
            rtc.Out(0x70, 0x0B);
            rtc.Out(0x71, 0x26);
            DateTime time = clock.UtcNow.UtcDateTime;
            long wait = 0;
            do
            {
                time = time.AddSeconds(1);
                wait++;
            }
            while (!Matches(alarm[0], time.Second) || !Matches(alarm[1], time.Minute) || !Matches(alarm[2], time.Hour));
            clock.NextDeadline.Should().Be(wait * Second, $"alarm {alarm[2]}:{alarm[1]}:{alarm[0]} from {clock.UtcNow}");
        }

        static bool Matches(int alarm, int value) => alarm == 0xFF || alarm == value;
    }

    [Fact]
    public void Status_d_says_that_memory_is_valid() => Get(0x0D).Should().Be(0x80);

    [Fact]
    public void Memory_bytes_are_kept_and_the_nmi_bit_is_no_part_of_the_index()
    {
        Set(0x40, 0xA5);
        Set(0x80 | 0x41, 0x5A);
        Get(0x40).Should().Be(0xA5);
        Get(0x41).Should().Be(0x5A);
    }

    [Theory]
    [InlineData(0x0010_0000ul, 0ul, 640, 0, 0, 0)]
    [InlineData(0x0100_0000ul, 0ul, 640, 15360, 0, 0)]
    [InlineData(0x1000_0000ul, 0ul, 640, 65535, 0xF00, 0)]
    [InlineData(0xC000_0000ul, 0x1_0000_0000ul, 640, 65535, 0xBF00, 0x10000)]
    public void Memory_sizes_are_in_the_bytes_firmware_uses(ulong below, ulong above, int conventional, int extended, int above16, int high)
    {
        _rtc.SetMemorySize(below, above);
        (Get(0x15) | Get(0x16) << 8).Should().Be(conventional);
        (Get(0x17) | Get(0x18) << 8).Should().Be(extended);
        (Get(0x30) | Get(0x31) << 8).Should().Be(extended);
        (Get(0x34) | Get(0x35) << 8).Should().Be(above16);
        (Get(0x5B) | Get(0x5C) << 8 | Get(0x5D) << 16).Should().Be(high);
        int sum = 0;
        for (int index = 0x10; index < 0x2E; index++)
            sum += Get(index);
        (Get(0x2E) << 8 | Get(0x2F)).Should().Be(sum);
    }
}
