namespace Vmm.Devices.Tests;

/// <summary>Oracle: Intel 82C54 data sheet, mode definitions and timing diagrams; all times in ticks of 1.193182 MHz.</summary>
public sealed class PitTests : IDisposable
{
    private readonly VirtualClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly TestLine _line = new();
    private readonly Pit _pit;
    private long _tick;

    public PitTests() => _pit = new Pit(_clock, _line);

    public void Dispose() => _pit.Dispose();

    private void Ticks(long count)
    {
        _tick += count;
        _clock.AdvanceTo((long)(((Int128)_tick * 1_000_000_000 + Pit.Frequency - 1) / Pit.Frequency));
    }

    private void Program(int channel, int mode, int count, bool decimalCount = false)
    {
        _pit.Out(0x43, (channel << 6) | 0x30 | (mode << 1) | (decimalCount ? 1 : 0));
        _pit.Out((ushort)(0x40 + channel), count & 0xFF);
        _pit.Out((ushort)(0x40 + channel), (count >> 8) & 0xFF);
    }

    private int Count(int channel)
    {
        _pit.Out(0x43, channel << 6);
        int low = _pit.In((ushort)(0x40 + channel));
        return low | (_pit.In((ushort)(0x40 + channel)) << 8);
    }

    private bool Output2 => (_pit.In(0x61) & 0x20) != 0;

    private void Gate2(bool level) => _pit.Out(0x61, level ? 1 : 0);

    [Fact]
    public void Mode_0_rises_n_plus_1_ticks_after_the_count()
    {
        Program(0, 0, 100);
        _line.Level.Should().BeFalse();
        Ticks(100);
        _line.Level.Should().BeFalse();
        Ticks(1);
        _line.Level.Should().BeTrue();
        Ticks(100_000);
        _line.Rises.Should().Be(1);
    }

    [Fact]
    public void Mode_0_counts_on_through_zero()
    {
        Program(0, 0, 100);
        Ticks(1);
        Count(0).Should().Be(100);
        Ticks(99);
        Count(0).Should().Be(1);
        Ticks(1);
        Count(0).Should().Be(0);
        Ticks(1);
        Count(0).Should().Be(0xFFFF);
    }

    [Fact]
    public void Mode_0_new_count_lowers_the_output_with_its_first_byte()
    {
        Program(0, 0, 100);
        Ticks(200);
        _line.Level.Should().BeTrue();
        _pit.Out(0x40, 50);
        _line.Level.Should().BeFalse();
        Ticks(1000);
        _line.Level.Should().BeFalse("counting waits for the second byte");
        _pit.Out(0x40, 0);
        Ticks(51);
        _line.Level.Should().BeTrue();
    }

    [Fact]
    public void Mode_0_gate_holds_the_count()
    {
        Gate2(true);
        Program(2, 0, 1000);
        Ticks(301);
        Gate2(false);
        Count(2).Should().Be(700);
        Ticks(5000);
        Count(2).Should().Be(700);
        Gate2(true);
        Ticks(699);
        Output2.Should().BeFalse();
        Ticks(1);
        Output2.Should().BeTrue();
    }

    [Fact]
    public void Mode_0_count_written_while_the_gate_is_low_waits_for_it()
    {
        Program(2, 0, 1000);
        Ticks(9000);
        Count(2).Should().Be(1000);
        Output2.Should().BeFalse();
        Gate2(true);
        Ticks(1000);
        Output2.Should().BeTrue();
    }

    [Fact]
    public void Mode_1_is_a_retriggerable_one_shot()
    {
        Program(2, 1, 100);
        Ticks(1000);
        Output2.Should().BeTrue();
        Gate2(true);
        Ticks(1);
        Output2.Should().BeFalse();
        Ticks(60);
        Gate2(false);
        Gate2(true);
        Ticks(100);
        Output2.Should().BeFalse("the second trigger loaded the count anew");
        Ticks(1);
        Output2.Should().BeTrue();
    }

    [Fact]
    public void Mode_2_interrupts_once_per_period()
    {
        Program(0, 2, 1000);
        int start = _line.Rises;
        Ticks(1000);
        _line.Rises.Should().Be(start);
        Ticks(1);
        _line.Rises.Should().Be(start + 1);
        Ticks(10_000);
        _line.Rises.Should().Be(start + 11);
    }

    [Fact]
    public void Mode_2_output_is_low_for_the_last_tick_of_the_period()
    {
        Gate2(true);
        Program(2, 2, 10);
        Ticks(1);
        for (int tick = 0; tick < 35; tick++)
        {
            Output2.Should().Be(tick % 10 != 9, $"tick {tick}");
            Count(2).Should().Be(10 - tick % 10, $"tick {tick}");
            Ticks(1);
        }
    }

    [Fact]
    public void Mode_2_new_count_starts_with_the_next_period()
    {
        Gate2(true);
        Program(2, 2, 100);
        Ticks(31);
        Count(2).Should().Be(70);
        _pit.Out(0x42, 20);
        _pit.Out(0x42, 0);
        Count(2).Should().Be(70);
        Ticks(69);
        Count(2).Should().Be(1);
        Ticks(1);
        Count(2).Should().Be(20);
        Ticks(20);
        Count(2).Should().Be(20);
    }

    [Fact]
    public void Mode_2_gate_low_forces_the_output_high_and_its_rise_reloads()
    {
        Gate2(true);
        Program(2, 2, 100);
        Ticks(100);
        Output2.Should().BeFalse();
        Gate2(false);
        Output2.Should().BeTrue();
        Ticks(500);
        Output2.Should().BeTrue();
        Count(2).Should().Be(1);
        Gate2(true);
        Ticks(1);
        Count(2).Should().Be(100);
    }

    [Theory]
    [InlineData(10, 5), InlineData(11, 6), InlineData(0, 32768)]
    public void Mode_3_is_a_square_wave_with_the_longer_half_high(int count, int high)
    {
        int period = count == 0 ? 65536 : count;
        Gate2(true);
        Program(2, 3, count);
        Ticks(1);
        foreach (int edge in new[] { 0, high, period, period + high, 2 * period })
        {
            bool after = edge % period == 0;
            if (edge > 0)
            {
                Ticks(edge - 1 - (_tick - 1));
                Output2.Should().Be(!after, $"before edge {edge}");
                Ticks(1);
            }
            Output2.Should().Be(after, $"after edge {edge}");
        }
    }

    [Fact]
    public void Mode_3_counts_down_by_two()
    {
        Gate2(true);
        Program(2, 3, 8);
        Ticks(1);
        int[] expected = [8, 6, 4, 2, 8, 6, 4, 2, 8];
        foreach (int value in expected)
        {
            Count(2).Should().Be(value);
            Ticks(1);
        }
    }

    [Fact]
    public void Mode_3_new_count_takes_effect_at_the_half()
    {
        Gate2(true);
        Program(2, 3, 100);
        Ticks(11);
        _pit.Out(0x42, 20);
        _pit.Out(0x42, 0);
        Ticks(39);
        Output2.Should().BeTrue();
        Ticks(1);
        Output2.Should().BeFalse("the first half ended after 50");
        Ticks(9);
        Output2.Should().BeFalse();
        Ticks(1);
        Output2.Should().BeTrue("the second half took 10");
        Ticks(10);
        Output2.Should().BeFalse();
    }

    [Fact]
    public void Mode_3_drives_the_line_as_a_wave()
    {
        Program(0, 3, 1000);
        int start = _line.Rises;
        Ticks(1 + 499);
        _line.Level.Should().BeTrue();
        Ticks(1);
        _line.Level.Should().BeFalse();
        Ticks(500);
        _line.Level.Should().BeTrue();
        _line.Rises.Should().Be(start + 1);
        Ticks(10_000);
        _line.Rises.Should().Be(start + 11);
    }

    [Fact]
    public void Mode_4_strobes_once()
    {
        Program(0, 4, 100);
        int start = _line.Rises;
        Ticks(101);
        _line.Rises.Should().Be(start);
        Ticks(1);
        _line.Rises.Should().Be(start + 1);
        Ticks(200_000);
        _line.Rises.Should().Be(start + 1);
        _pit.Out(0x40, 50);
        _pit.Out(0x40, 0);
        Ticks(52);
        _line.Rises.Should().Be(start + 2);
    }

    [Fact]
    public void Mode_4_output_is_low_for_one_tick()
    {
        Gate2(true);
        Program(2, 4, 10);
        Ticks(10);
        Output2.Should().BeTrue();
        Ticks(1);
        Output2.Should().BeFalse();
        Ticks(1);
        Output2.Should().BeTrue();
    }

    [Fact]
    public void Mode_5_strobes_after_each_trigger()
    {
        Program(2, 5, 10);
        Ticks(100);
        Output2.Should().BeTrue();
        Gate2(true);
        Ticks(10);
        Output2.Should().BeTrue();
        Ticks(1);
        Output2.Should().BeFalse();
        Ticks(1);
        Output2.Should().BeTrue();
        Gate2(false);
        Gate2(true);
        Ticks(11);
        Output2.Should().BeFalse();
    }

    [Fact]
    public void Decimal_count_is_kept_in_decimal()
    {
        Program(0, 0, 0x1234, decimalCount: true);
        Ticks(1);
        Count(0).Should().Be(0x1234);
        Ticks(35);
        Count(0).Should().Be(0x1199);
        Ticks(1199);
        Count(0).Should().Be(0);
        Ticks(1);
        Count(0).Should().Be(0x9999);
    }

    [Fact]
    public void Decimal_zero_is_ten_thousand()
    {
        Program(0, 2, 0, decimalCount: true);
        int start = _line.Rises;
        Ticks(10_000);
        _line.Rises.Should().Be(start);
        Ticks(1);
        _line.Rises.Should().Be(start + 1);
    }

    [Fact]
    public void Latched_count_stays_until_both_bytes_are_read()
    {
        Program(0, 2, 0x4321);
        Ticks(1);
        _pit.Out(0x43, 0x00);
        Ticks(0x100);
        _pit.Out(0x43, 0x00);
        _pit.In(0x40).Should().Be(0x21);
        Ticks(0x100);
        _pit.In(0x40).Should().Be(0x43);
        Count(0).Should().Be(0x4121);
    }

    [Theory]
    [InlineData(1, 0x00B0), InlineData(2, 0xB000)]
    public void Single_byte_access_writes_and_reads_that_byte(int access, int expected)
    {
        _pit.Out(0x43, (access << 4) | 4);
        _pit.Out(0x40, 0xB0);
        Ticks(1);
        int shift = access == 2 ? 8 : 0;
        (_pit.In(0x40) << shift).Should().Be(expected);
        (_pit.In(0x40) << shift).Should().Be(expected, "there is no flip-flop");
    }

    [Fact]
    public void Read_back_latches_status_then_count_of_every_named_channel()
    {
        Gate2(true);
        Program(0, 2, 0x1000);
        Program(2, 3, 0x2000);
        Ticks(1);
        _pit.Out(0x43, 0xC0 | 0x0A);
        Ticks(0x800);
        _pit.In(0x40).Should().Be(0xB4, "output high, count loaded, two bytes, mode 2");
        _pit.In(0x40).Should().Be(0x00);
        _pit.In(0x40).Should().Be(0x10);
        _pit.In(0x42).Should().Be(0xB6);
        _pit.In(0x42).Should().Be(0x00);
        _pit.In(0x42).Should().Be(0x20);
    }

    [Fact]
    public void Status_shows_a_count_not_yet_loaded()
    {
        _pit.Out(0x43, 0x34);
        _pit.Out(0x43, 0xE2);
        (_pit.In(0x40) & 0x40).Should().Be(0x40, "no count was written");
        _pit.Out(0x40, 0);
        _pit.Out(0x40, 1);
        _pit.Out(0x43, 0xE2);
        (_pit.In(0x40) & 0x40).Should().Be(0x40, "the load comes with the next tick");
        Ticks(1);
        _pit.Out(0x43, 0xE2);
        (_pit.In(0x40) & 0x40).Should().Be(0);
        _pit.Out(0x40, 0);
        _pit.Out(0x40, 2);
        _pit.Out(0x43, 0xE2);
        (_pit.In(0x40) & 0x40).Should().Be(0x40, "the new count waits for the end of the period");
    }

    [Fact]
    public void Port_61_keeps_its_low_bits_and_toggles_refresh()
    {
        _pit.Out(0x61, 0xFF);
        (_pit.In(0x61) & 0xCF).Should().Be(0x0F);
        int toggles = 0;
        int last = _pit.In(0x61) & 0x10;
        for (int tick = 0; tick < 1800; tick++)
        {
            Ticks(1);
            int now = _pit.In(0x61) & 0x10;
            toggles += now != last ? 1 : 0;
            last = now;
        }
        toggles.Should().Be(100);
    }

    [Fact]
    public void Late_callbacks_merge_missed_edges_and_keep_the_phase()
    {
        Program(0, 2, 1000);
        Ticks(1);
        int start = _line.Rises;
        ManualLateness late = new();
        using Pit pit = new(late, _line);
        pit.Out(0x43, 0x34);
        pit.Out(0x40, 0xE8);
        pit.Out(0x40, 0x03);
        start = _line.Rises;
        late.Nanoseconds = 3_500_000;
        late.Fire();
        _line.Rises.Should().Be(start + 1, "4 periods of 838 microseconds have passed, and they are one edge");
        late.Deadline.Should().BeInRange(4_191_000, 4_192_500, "the fifth period ends where it would have");
    }

    [Fact]
    public void Tiny_count_does_not_flood_the_clock()
    {
        Program(0, 2, 2);
        int start = _line.Rises;
        Ticks(Pit.Frequency / 100);
        (_line.Rises - start).Should().BeInRange(150, 201, "one edge per 50 microseconds at most");
    }

    [Fact]
    public void Missed_ticks_are_made_up_for_as_the_interrupt_is_taken()
    {
        (ManualLateness late, PicPair pic, Pit pit) = OnController();
        using (pit)
        {
            late.Nanoseconds = 850_000;
            late.Fire();
            TakeAll(pic).Should().Be(1);
            late.Nanoseconds = 850_000 + 5 * 838_100;
            late.Fire();
            TakeAll(pic).Should().Be(5, "five periods passed before the callback came");
            late.Nanoseconds += 838_100;
            late.Fire();
            late.Nanoseconds += 838_100;
            late.Fire();
            TakeAll(pic).Should().Be(2, "the guest took its time for the first");
            TakeAll(pic).Should().Be(0);
        }
    }

    [Fact]
    public void Ticks_are_owed_for_a_second_at_most_and_none_while_masked_or_after_a_new_mode()
    {
        (ManualLateness late, PicPair pic, Pit pit) = OnController();
        using (pit)
        {
            late.Nanoseconds = 850_000;
            late.Fire();
            late.Nanoseconds = 60_000_000_000;
            late.Fire();
            TakeAll(pic).Should().BeInRange(1190, 1196);
            pic.Out(0x21, 0x01);
            late.Nanoseconds = 70_000_000_000;
            late.Fire();
            pic.Out(0x21, 0x00);
            TakeAll(pic).Should().Be(1);
            late.Nanoseconds = 80_000_000_000;
            late.Fire();
            pit.Out(0x43, 0x34);
            TakeAll(pic).Should().Be(1, "the edge that is there");
        }
    }

    private static (ManualLateness Clock, PicPair Pic, Pit Pit) OnController()
    {
        ManualLateness late = new();
        PicPair pic = new();
        foreach ((int port, int value) in new[] { (0x20, 0x11), (0x21, 0x20), (0x21, 0x04), (0x21, 0x01) })
            pic.Out((ushort)port, value);
        Pit pit = new(late, pic.GetLine(0));
        pit.Out(0x43, 0x34);
        TakeAll(pic);
        pit.Out(0x40, 0xE8);
        pit.Out(0x40, 0x03);
        return (late, pic, pit);
    }

    private static int TakeAll(PicPair pic)
    {
        int taken = 0;
        while (pic.Asserted)
        {
            pic.Acknowledge().Should().Be(0x20);
            pic.Out(0x20, 0x20);
            taken++;
        }
        return taken;
    }

    /// <summary>A clock whose one timer fires when the test says so.</summary>
    private sealed class ManualLateness : IMachineClock, IClockTimer
    {
        private Action? _callback;

        public long Nanoseconds { get; set; }

        public long Deadline { get; private set; }

        public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch;

        public bool HasArmedTimers => Deadline != 0;

        public IClockTimer CreateTimer(Action callback)
        {
            _callback = callback;
            return this;
        }

        public void Fire() => _callback!();

        public void Arm(long deadline) => Deadline = deadline;

        public void Disarm() => Deadline = 0;

        public void Dispose() => Deadline = 0;
    }
}
