using System.Diagnostics;

namespace Vmm.Devices.Tests;

public sealed class ClockTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Virtual_clock_calls_back_in_order_with_the_time_at_the_deadline()
    {
        VirtualClock clock = new(DateTimeOffset.UnixEpoch);
        List<(string Name, long Time)> calls = [];
        IClockTimer late = clock.CreateTimer(() => calls.Add(("late", clock.Nanoseconds)));
        IClockTimer early = clock.CreateTimer(() => calls.Add(("early", clock.Nanoseconds)));
        late.Arm(200);
        early.Arm(100);
        clock.NextDeadline.Should().Be(100);
        clock.Advance(99);
        calls.Should().BeEmpty();
        clock.Advance(1000);
        calls.Should().Equal(("early", 100), ("late", 200));
        clock.Nanoseconds.Should().Be(1099);
        clock.HasArmedTimers.Should().BeFalse();
    }

    [Fact]
    public void Timer_armed_again_moves_and_disarmed_stays_silent()
    {
        VirtualClock clock = new(DateTimeOffset.UnixEpoch);
        List<long> calls = [];
        IClockTimer timer = clock.CreateTimer(() => calls.Add(clock.Nanoseconds));
        timer.Arm(10);
        timer.Arm(50);
        clock.Advance(20);
        calls.Should().BeEmpty();
        clock.Advance(40);
        calls.Should().Equal(50);
        timer.Arm(100);
        timer.Disarm();
        timer.Disarm();
        clock.HasArmedTimers.Should().BeFalse();
        clock.Advance(1000);
        calls.Should().Equal(50);
    }

    [Fact]
    public void Timer_armed_ever_anew_does_not_pile_up()
    {
        VirtualClock clock = new(DateTimeOffset.UnixEpoch);
        int calls = 0;
        IClockTimer timer = clock.CreateTimer(() => calls++);
        IClockTimer other = clock.CreateTimer(() => calls += 100);
        other.Arm(2_000_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int count = 0; count < 1_000_000; count++)
            timer.Arm(1_000_000 + count % 7);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(400_000_000);
        clock.Advance(3_000_000);
        calls.Should().Be(101);
    }

    [Fact]
    public void System_clock_calls_back_on_its_own_thread_not_early()
    {
        using SystemClock clock = new();
        using ManualResetEventSlim done = new();
        long called = 0;
        Thread? thread = null;
        IClockTimer timer = clock.CreateTimer(() =>
        {
            called = clock.Nanoseconds;
            thread = Thread.CurrentThread;
            done.Set();
        });
        long deadline = clock.Nanoseconds + 20_000_000;
        timer.Arm(deadline);
        clock.HasArmedTimers.Should().BeTrue();
        done.Wait(s_patience).Should().BeTrue();
        called.Should().BeGreaterThanOrEqualTo(deadline);
        thread.Should().NotBe(Thread.CurrentThread);
        // A callback counts as armed until it has returned.
        SpinWait.SpinUntil(() => !clock.HasArmedTimers, s_patience).Should().BeTrue();
    }

    [Fact]
    public void System_clock_takes_an_earlier_deadline_while_it_waits_for_a_later()
    {
        using SystemClock clock = new();
        using ManualResetEventSlim done = new();
        IClockTimer far = clock.CreateTimer(() => { });
        IClockTimer near = clock.CreateTimer(done.Set);
        far.Arm(clock.Nanoseconds + 3_600_000_000_000);
        Stopwatch watch = Stopwatch.StartNew();
        near.Arm(clock.Nanoseconds + 1_000_000);
        done.Wait(s_patience).Should().BeTrue();
        watch.Elapsed.Should().BeLessThan(s_patience);
    }

    [Fact]
    public void System_clock_disposed_calls_back_no_more()
    {
        SystemClock clock = new();
        int calls = 0;
        IClockTimer timer = clock.CreateTimer(() => Interlocked.Increment(ref calls));
        timer.Arm(clock.Nanoseconds + 50_000_000);
        clock.Dispose();
        clock.Dispose();
        timer.Arm(clock.Nanoseconds);
        Thread.Sleep(100);
        calls.Should().Be(0);
    }

    [Fact]
    public void Suspended_clock_stands_still_calls_nobody_back_and_goes_on_from_the_time_set()
    {
        using SystemClock clock = new();
        using ManualResetEventSlim called = new();
        using IClockTimer timer = clock.CreateTimer(called.Set);
        timer.Arm(long.MaxValue / 2);
        clock.Suspend();
        clock.Suspend();
        clock.SetTime(5_000_000_000);
        timer.Arm(4_000_000_000);
        clock.Resume();
        called.Wait(100).Should().BeFalse();
        clock.Nanoseconds.Should().Be(5_000_000_000);
        clock.Resume();
        called.Wait(s_patience).Should().BeTrue();
        clock.Nanoseconds.Should().BeGreaterThanOrEqualTo(5_000_000_000);
        clock.Invoking(c => c.Resume()).Should().Throw<InvalidOperationException>();
        clock.Invoking(c => c.SetTime(0)).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void Suspending_waits_for_a_callback_being_made()
    {
        using SystemClock clock = new();
        using ManualResetEventSlim entered = new();
        bool left = false;
        using IClockTimer timer = clock.CreateTimer(() =>
        {
            entered.Set();
            Thread.Sleep(50);
            Volatile.Write(ref left, true);
        });
        timer.Arm(0);
        entered.Wait(s_patience).Should().BeTrue();
        clock.Suspend();
        Volatile.Read(ref left).Should().BeTrue();
    }

    [Fact]
    public void Virtual_clock_can_be_set_only_while_suspended_and_advanced_only_while_not()
    {
        VirtualClock clock = new(DateTimeOffset.UnixEpoch);
        clock.Invoking(c => c.SetTime(1)).Should().Throw<InvalidOperationException>();
        clock.Suspend();
        clock.SetTime(1000);
        clock.Invoking(c => c.Advance(1)).Should().Throw<InvalidOperationException>();
        clock.Resume();
        clock.Advance(1);
        clock.Nanoseconds.Should().Be(1001);
        clock.Invoking(c => c.Resume()).Should().Throw<InvalidOperationException>();
    }
}
