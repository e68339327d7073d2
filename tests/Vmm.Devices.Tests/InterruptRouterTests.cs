namespace Vmm.Devices.Tests;

/// <summary>
/// Oracle: the wiring of a PC: ISA requests on both controllers, the timer on input 2 of the I/O APIC, inputs 16 to 23 beside.
/// </summary>
public sealed class InterruptRouterTests
{
    private readonly List<InterruptRequest> _sent = [];
    private readonly PicPair _pic = new();
    private readonly InterruptRouter _router;

    public InterruptRouterTests()
    {
        IoApic ioApic = new((in InterruptRequest request) => _sent.Add(request));
        _router = new InterruptRouter(_pic, ioApic);
        foreach ((ushort port, int value) in (ReadOnlySpan<(ushort, int)>)
            [(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0xA0, 0x11), (0xA1, 0x28), (0xA1, 2), (0xA1, 1)])
        {
            _pic.Out(port, value);
        }
        for (uint input = 0; input < 24; input++)
        {
            ioApic.Write(0, 4, 0x10 + 2 * input);
            // Level-triggered, vector 0x40 + input.
            ioApic.Write(0x10, 4, 0x8040 + input);
        }
    }

    [Theory]
    [InlineData(0, 0x20, 0x42), InlineData(1, 0x21, 0x41), InlineData(9, 0x29, 0x49), InlineData(15, 0x2F, 0x4F)]
    public void Isa_line_reaches_both_controllers(int line, int picVector, int ioApicVector)
    {
        IAcknowledgedLine input = _router.Connect(line);
        int taken = 0;
        input.Acknowledged += () => taken++;
        input.Set(true);
        _pic.Acknowledge().Should().Be(picVector);
        taken.Should().Be(1);
        _sent.Select(request => (int)request.Vector).Should().Equal(ioApicVector);
    }

    [Fact]
    public void Upper_line_reaches_the_second_controller_alone()
    {
        IAcknowledgedLine input = _router.Connect(23);
        input.Set(true);
        _pic.Asserted.Should().BeFalse();
        _sent.Select(request => (int)request.Vector).Should().Equal(0x40 + 23);
        input.IsMasked.Should().BeTrue("nothing tells when its interrupts are taken");
    }

    [Fact]
    public void Shared_line_stays_asserted_until_its_last_input_falls()
    {
        IInterruptLine one = _router.Connect(16), two = _router.Connect(16);
        one.Set(true);
        two.Set(true);
        one.Set(true);
        _sent.Should().ContainSingle();
        one.Set(false);
        one.Set(false);
        _router.IoApic!.EndOfInterrupt(0x50);
        _sent.Should().HaveCount(2, "the second device still asserts it");
        two.Set(false);
        _router.IoApic.EndOfInterrupt(0x50);
        _sent.Should().HaveCount(2);
    }

    [Fact]
    public void Without_a_second_controller_there_are_sixteen_lines()
    {
        InterruptRouter router = new(_pic, null);
        router.LineCount.Should().Be(16);
        router.Connect(5).Set(true);
        _pic.Acknowledge().Should().Be(0x25);
        router.Invoking(one => one.Connect(16)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(-1), InlineData(2), InlineData(24)]
    public void Line_that_no_device_can_have_is_refused(int line) =>
        _router.Invoking(one => one.Connect(line)).Should().Throw<ArgumentOutOfRangeException>();

    [Fact]
    public void Inputs_driven_from_many_threads_leave_the_line_low()
    {
        Parallel.For(0, 4, _ =>
        {
            IInterruptLine input = _router.Connect(18);
            for (int turn = 0; turn < 5000; turn++)
            {
                input.Set(true);
                input.Set(false);
            }
        });
        _router.IoApic!.EndOfInterrupt(0x52);
        int sent = _sent.Count;
        _router.IoApic.EndOfInterrupt(0x52);
        _sent.Count.Should().Be(sent, "nobody asserts it");
    }

    [Fact]
    public async Task Pulse_of_a_waiting_line_leaves_a_processor_that_asks_just_then_with_its_vector()
    {
        IInterruptLine line = _router.Connect(0);
        line.Set(true);
        using CancellationTokenSource enough = new();
        Task pulsing = Task.Run(() =>
        {
            while (!enough.IsCancellationRequested)
                line.Pulse();
        });
        for (int taken = 0; taken < 50_000; taken++)
        {
            SpinWait.SpinUntil(() => _pic.Asserted);
            _pic.Acknowledge().Should().Be(0x20);
            _pic.Out(0x20, 0x20);
        }
        await enough.CancelAsync();
        await pulsing;
    }
}
