using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Tests.Interrupts;

/// <summary>The timer (SDM Vol. 3A 11.5.4); the clock runs at 2.6 GHz, the timer's input at 1 GHz.</summary>
public sealed class LocalApicTimerTests
{
    private const uint Periodic = 1 << 17;
    private const uint TscDeadline = 2 << 17;
    private const uint Masked = 1 << 16;

    private readonly ApicBench _bench = new ApicBench().Enabled();

    public LocalApicTimerTests() => _bench[0x3E0] = 0xB;

    private LocalApic Apic => _bench.Apic;

    private bool TakeTimer()
    {
        if (Apic.PendingVector != 0x40)
            return false;
        Apic.Acknowledge();
        _bench[0xB0] = 0;
        return true;
    }

    [Fact]
    public void One_shot_counts_down_and_interrupts_once()
    {
        _bench[0x320] = 0x40;
        _bench[0x380] = 1000;
        Apic.NextDeadline.Should().Be(2600);
        _bench.Advance(1300);
        _bench[0x390].Should().Be(500);
        _bench.Advance(1299);
        TakeTimer().Should().BeFalse();
        _bench.Advance(1);
        TakeTimer().Should().BeTrue();
        _bench[0x390].Should().Be(0);
        _bench[0x380].Should().Be(1000);
        Apic.NextDeadline.Should().Be(LocalApicTimer.Never);
        _bench.Advance(1_000_000);
        TakeTimer().Should().BeFalse();
    }

    [Theory]
    [InlineData(0xBu, 1)]
    [InlineData(0x0u, 2)]
    [InlineData(0x1u, 4)]
    [InlineData(0x2u, 8)]
    [InlineData(0x3u, 16)]
    [InlineData(0x8u, 32)]
    [InlineData(0x9u, 64)]
    [InlineData(0xAu, 128)]
    public void Divider_is_the_manuals(uint configuration, int divider)
    {
        _bench[0x3E0] = configuration;
        _bench[0x320] = 0x40;
        _bench[0x380] = 1000;
        Apic.NextDeadline.Should().Be((ulong)(2600 * divider));
    }

    [Fact]
    public void Divider_changed_while_running_goes_on_from_the_count()
    {
        _bench[0x320] = 0x40;
        _bench[0x380] = 1000;
        _bench.Advance(1300);
        _bench[0x3E0] = 0;
        _bench[0x390].Should().Be(500);
        Apic.NextDeadline.Should().Be(1300 + 2600);
    }

    [Fact]
    public void Periodic_interrupts_each_period_without_drift()
    {
        // 100,001 steps are 260,002.6 ticks: a rounded period would be off by 400 ticks after a thousand.
        _bench[0x320] = 0x40 | Periodic;
        _bench[0x380] = 100_001;
        for (ulong period = 1; period <= 1000; period++)
        {
            ulong deadline = ((period * 100_001 * 26) + 9) / 10;
            Apic.NextDeadline.Should().Be(deadline);
            _bench.Advance(deadline - 1 - _bench.Ticks);
            TakeTimer().Should().BeFalse();
            _bench.Advance(1);
            TakeTimer().Should().BeTrue();
        }
    }

    [Fact]
    public void Periodic_that_was_late_interrupts_once_and_keeps_its_phase()
    {
        _bench[0x320] = 0x40 | Periodic;
        _bench[0x380] = 100_000;
        _bench.Advance((260_000 * 5) + 26_000);
        TakeTimer().Should().BeTrue();
        TakeTimer().Should().BeFalse();
        _bench[0x390].Should().Be(90_000);
        Apic.NextDeadline.Should().Be(260_000 * 6);
    }

    [Fact]
    public void Absurdly_short_period_does_not_flood()
    {
        _bench[0x320] = 0x40 | Periodic;
        _bench[0x380] = 1;
        int interrupts = 0;
        for (int i = 0; i < 2_600_000; i += 260)
        {
            _bench.Advance(260);
            interrupts += TakeTimer() ? 1 : 0;
        }

        interrupts.Should().BeInRange(40, 51, "a millisecond at 50 kHz");
    }

    [Fact]
    public void Count_of_zero_stops_the_timer()
    {
        _bench[0x320] = 0x40 | Periodic;
        _bench[0x380] = 1000;
        _bench[0x380] = 0;
        Apic.NextDeadline.Should().Be(LocalApicTimer.Never);
        _bench.Advance(100_000);
        TakeTimer().Should().BeFalse();
    }

    [Fact]
    public void Masked_timer_runs_and_does_not_interrupt()
    {
        _bench[0x320] = 0x40 | Masked;
        _bench[0x380] = 1000;
        Apic.NextDeadline.Should().Be(LocalApicTimer.Never, "nobody needs to wake for it");
        _bench.Ticks += 5000;
        _bench[0x320] = 0x40;
        TakeTimer().Should().BeFalse("it ran out while masked");
        _bench[0x390].Should().Be(0);
    }

    [Fact]
    public void Mode_change_between_one_shot_and_periodic_keeps_counting()
    {
        _bench[0x320] = 0x40;
        _bench[0x380] = 100_000;
        _bench.Advance(26_000);
        _bench[0x320] = 0x40 | Periodic;
        _bench[0x390].Should().Be(90_000);
        _bench.Advance(234_000);
        TakeTimer().Should().BeTrue();
        _bench[0x390].Should().Be(100_000);
        Apic.NextDeadline.Should().Be(520_000);
    }

    [Fact]
    public void Tsc_deadline_fires_once_at_the_guests_own_counter()
    {
        _bench.Ticks = 1000;
        _bench.TscOffset = 5000;
        _bench[0x320] = 0x40 | TscDeadline;
        _bench.Write(0x6E0, 10_000).Should().BeTrue();
        Apic.NextDeadline.Should().Be(5000);
        _bench.Msr(0x6E0).Should().Be(10_000);
        _bench[0x390].Should().Be(0);
        _bench.TscOffset = 6000;
        Apic.NextDeadline.Should().Be(4000, "the guest moved its counter");
        _bench.Advance(2999);
        TakeTimer().Should().BeFalse();
        _bench.Advance(1);
        TakeTimer().Should().BeTrue();
        _bench.Msr(0x6E0).Should().Be(0, "it is disarmed");
        Apic.NextDeadline.Should().Be(LocalApicTimer.Never);
    }

    [Fact]
    public void Tsc_deadline_in_the_past_fires_at_once()
    {
        _bench.Ticks = 1000;
        _bench[0x320] = 0x40 | TscDeadline;
        _bench.Write(0x6E0, 1);
        TakeTimer().Should().BeTrue();
    }

    [Fact]
    public void Tsc_deadline_counts_in_its_own_mode_only()
    {
        _bench.Write(0x6E0, 10_000).Should().BeTrue();
        _bench.Msr(0x6E0).Should().Be(0);
        _bench[0x320] = 0x40 | TscDeadline;
        _bench[0x380] = 1000;
        _bench[0x380].Should().Be(0, "the initial count takes no writes in this mode");
        _bench.Write(0x6E0, 10_000);
        _bench[0x320] = 0x40;
        _bench[0x320] = 0x40 | TscDeadline;
        _bench.Msr(0x6E0).Should().Be(0, "leaving the mode disarms");
        _bench.Write(0x6E0, 10_000);
        _bench.Write(0x6E0, 0);
        _bench.Advance(20_000);
        TakeTimer().Should().BeFalse();
    }

    [Fact]
    public void Tsc_deadline_is_absent_where_the_processor_lacks_it()
    {
        ApicBench old = new ApicBench(options: o => o with { HasTscDeadline = false }).Enabled();
        old.Apic.TryReadMsr(0x6E0, out _).Should().BeFalse();
        old.Write(0x6E0, 1).Should().BeFalse();
        old[0x320] = 0x40 | TscDeadline;
        old[0x320].Should().Be(0x40);
    }

    [Fact]
    public void Deadline_beyond_the_clock_never_wraps()
    {
        _bench.Ticks = ulong.MaxValue - 10_000;
        _bench[0x320] = 0x40 | TscDeadline;
        _bench.Write(0x6E0, ulong.MaxValue);
        Apic.NextDeadline.Should().BeGreaterThanOrEqualTo(ulong.MaxValue - 10_000);
        _bench[0x320] = 0x40;
        _bench[0x380] = uint.MaxValue;
        Apic.NextDeadline.Should().BeGreaterThanOrEqualTo(ulong.MaxValue - 10_000);
        TakeTimer().Should().BeFalse();
    }

    [Fact]
    public void Owner_hears_of_each_change_of_the_deadline()
    {
        int before = _bench.DeadlineChanges;
        _bench[0x320] = 0x40;
        _bench[0x380] = 10;
        _bench.DeadlineChanges.Should().BeGreaterThanOrEqualTo(before + 2);
        before = _bench.DeadlineChanges;
        _bench.Advance(26);
        _bench.DeadlineChanges.Should().Be(before + 1);
    }
}
