namespace Vmm.Devices.Tests;

/// <summary>Oracle: Intel 8259A data sheet (order 231468) and the wiring of a PC.</summary>
public sealed class PicPairTests
{
    private const int NothingPending = -1;

    private readonly PicPair _pic = new();

    public PicPairTests() => Initialize();

    private void Initialize(int fourth = 0x01)
    {
        _pic.Out(0x20, 0x11);
        _pic.Out(0x21, 0x20);
        _pic.Out(0x21, 0x04);
        _pic.Out(0x21, fourth);
        _pic.Out(0xA0, 0x11);
        _pic.Out(0xA1, 0x28);
        _pic.Out(0xA1, 0x02);
        _pic.Out(0xA1, fourth);
    }

    private int Accept() => _pic.Asserted ? _pic.Acknowledge() : NothingPending;

    private void Raise(int irq) => _pic.GetLine(irq).Set(true);

    private void Lower(int irq) => _pic.GetLine(irq).Set(false);

    [Fact]
    public void Pair_before_initialisation_asserts_nothing()
    {
        PicPair pic = new();
        pic.GetLine(0).Set(true);
        pic.Asserted.Should().BeFalse();
        pic.In(0x21).Should().Be(0xFF);
    }

    [Theory]
    [InlineData(0, 0x20), InlineData(1, 0x21), InlineData(3, 0x23), InlineData(7, 0x27)]
    [InlineData(8, 0x28), InlineData(12, 0x2C), InlineData(15, 0x2F)]
    public void Line_raised_gives_its_vector_once(int irq, int vector)
    {
        Raise(irq);
        Accept().Should().Be(vector);
        Accept().Should().Be(NothingPending);
        _pic.Out(0xA0, 0x20);
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(NothingPending, "the line did not rise again");
        Lower(irq);
        Raise(irq);
        Accept().Should().Be(vector);
    }

    [Fact]
    public void Cascade_input_has_no_line() => _pic.Invoking(pic => pic.GetLine(2)).Should().Throw<ArgumentException>();

    [Fact]
    public void Initialisation_forgets_edges_and_mask_but_a_line_must_rise_anew()
    {
        Raise(3);
        _pic.Out(0x21, 0x55);
        Initialize();
        _pic.In(0x21).Should().Be(0);
        Accept().Should().Be(NothingPending);
        Lower(3);
        Raise(3);
        Accept().Should().Be(0x23);
    }

    [Fact]
    public void First_word_without_fourth_leaves_normal_end_of_interrupt()
    {
        Initialize(0x03);
        _pic.Out(0x20, 0x10);
        _pic.Out(0x21, 0x40);
        _pic.Out(0x21, 0x04);
        _pic.In(0x21).Should().Be(0, "the sequence ended after three words");
        Raise(1);
        Accept().Should().Be(0x41);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0x02, "ICW4's functions were cleared, so no automatic end");
    }

    [Fact]
    public void Single_chip_sequence_skips_the_cascade_word()
    {
        _pic.Out(0x20, 0x13);
        _pic.Out(0x21, 0x60);
        _pic.Out(0x21, 0x01);
        _pic.Out(0x21, 0xFD);
        _pic.In(0x21).Should().Be(0xFD);
        Raise(1);
        Accept().Should().Be(0x61);
    }

    [Fact]
    public void Mask_holds_a_request_back_until_it_is_cleared()
    {
        _pic.Out(0x21, 0x02);
        Raise(1);
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0x20, 0x0A);
        _pic.In(0x20).Should().Be(0x02, "the request register shows masked requests");
        _pic.Out(0x21, 0x00);
        Accept().Should().Be(0x21);
    }

    [Fact]
    public void Higher_priority_nests_and_lower_waits_for_the_end()
    {
        Raise(4);
        Accept().Should().Be(0x24);
        Raise(5);
        Raise(4);
        _pic.Asserted.Should().BeFalse();
        Raise(1);
        Accept().Should().Be(0x21);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0x12);
        _pic.Out(0x20, 0x20);
        _pic.In(0x20).Should().Be(0x10, "the non-specific end takes the highest");
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x25);
    }

    [Fact]
    public void Slave_ranks_at_the_masters_input_2()
    {
        Raise(3);
        Raise(8);
        Raise(1);
        Accept().Should().Be(0x21);
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x28);
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0xA0, 0x20);
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x23);
    }

    [Fact]
    public void Second_request_of_the_slave_waits_for_both_ends()
    {
        Raise(9);
        Raise(10);
        Accept().Should().Be(0x29);
        _pic.Out(0xA0, 0x20);
        _pic.Asserted.Should().BeFalse("the master's input 2 is still in service");
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x2A);
    }

    [Fact]
    public void Special_fully_nested_master_lets_a_higher_slave_request_through()
    {
        _pic.Out(0x20, 0x11);
        _pic.Out(0x21, 0x20);
        _pic.Out(0x21, 0x04);
        _pic.Out(0x21, 0x11);
        Raise(10);
        Accept().Should().Be(0x2A);
        Raise(9);
        Accept().Should().Be(0x29);
        Raise(11);
        _pic.Asserted.Should().BeFalse("the slave itself still ranks 9 before 11");
    }

    [Fact]
    public void Specific_end_clears_the_named_level_only()
    {
        Raise(4);
        Accept();
        Raise(1);
        Accept();
        _pic.Out(0x20, 0x64);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0x02);
    }

    [Fact]
    public void Rotation_on_end_puts_the_served_level_last()
    {
        Raise(3);
        Accept();
        _pic.Out(0x20, 0xA0);
        Lower(3);
        Raise(3);
        Raise(4);
        Accept().Should().Be(0x24, "4 is now the highest");
        _pic.Out(0x20, 0xE4);
        Raise(0);
        Accept().Should().Be(0x20, "after 4 come 5, 6, 7, 0");
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x23);
    }

    [Fact]
    public void Set_priority_names_the_lowest()
    {
        _pic.Out(0x20, 0xC5);
        Raise(0);
        Raise(6);
        Accept().Should().Be(0x26);
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x20);
    }

    [Fact]
    public void Automatic_end_keeps_nothing_in_service_and_may_rotate()
    {
        Initialize(0x03);
        Raise(3);
        Accept().Should().Be(0x23);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0);
        _pic.Out(0x20, 0x80);
        Lower(3);
        Raise(3);
        Accept().Should().Be(0x23);
        Lower(3);
        Raise(3);
        Raise(4);
        Accept().Should().Be(0x24, "3 rotated to the end");
        _pic.Out(0x20, 0x00);
        Accept().Should().Be(0x23);
        Lower(3);
        Raise(3);
        Lower(5);
        Raise(5);
        Accept().Should().Be(0x25, "with rotation cleared the order stays: 4 was the last to rotate");
    }

    [Fact]
    public void Special_mask_mode_lets_lower_levels_in_while_the_masked_one_is_served()
    {
        Raise(3);
        Accept();
        _pic.Out(0x21, 0x08);
        Raise(5);
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0x20, 0x68);
        Accept().Should().Be(0x25);
        _pic.Out(0x20, 0x20);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0x08, "a masked level is not ended by the non-specific end in this mode");
        _pic.Out(0x20, 0x48);
        _pic.Out(0x20, 0x20);
        _pic.In(0x20).Should().Be(0);
    }

    [Fact]
    public void Poll_acknowledges_and_names_the_level()
    {
        Raise(5);
        _pic.Out(0x20, 0x0C);
        _pic.In(0x20).Should().Be(0x85);
        _pic.Asserted.Should().BeFalse();
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0x20);
        _pic.Out(0x20, 0x0C);
        _pic.In(0x20).Should().Be(0x00, "nothing more to serve");
        _pic.In(0x20).Should().Be(0x20, "one poll is one read");
    }

    [Fact]
    public void Request_gone_before_acknowledge_is_spurious_7()
    {
        Raise(3);
        _pic.Asserted.Should().BeTrue();
        Lower(3);
        _pic.Acknowledge().Should().Be(0x27);
        _pic.Out(0x20, 0x0B);
        _pic.In(0x20).Should().Be(0, "a spurious interrupt is not in service");
    }

    [Fact]
    public void Slave_request_gone_before_acknowledge_is_spurious_7_of_the_master()
    {
        Raise(9);
        Lower(9);
        _pic.Acknowledge().Should().Be(0x27);
    }

    [Fact]
    public void Level_line_repeats_until_lowered()
    {
        _pic.Out(0x4D0, 0xFF);
        _pic.In(0x4D0).Should().Be(0xF8, "0, 1 and 2 are always edges");
        _pic.Out(0x4D1, 0xFF);
        _pic.In(0x4D1).Should().Be(0xDE, "8 and 13 are always edges");
        Raise(11);
        Accept().Should().Be(0x2B);
        _pic.Out(0xA0, 0x20);
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(0x2B);
        Lower(11);
        _pic.Out(0xA0, 0x20);
        _pic.Out(0x20, 0x20);
        Accept().Should().Be(NothingPending);
    }

    [Fact]
    public void Wide_access_reaches_consecutive_ports()
    {
        _pic.Write(0x20, 2, 0x5A_0A);
        _pic.In(0x21).Should().Be(0x5A);
        _pic.Read(0x20, 2).Should().Be(0x5A00);
    }

    [Fact]
    public void Changes_of_the_output_are_announced()
    {
        int changes = 0;
        _pic.Changed += () => changes++;
        Raise(1);
        changes.Should().Be(1);
        Raise(3);
        changes.Should().Be(1);
        Lower(1);
        Lower(3);
        changes.Should().Be(2);
    }

    [Fact]
    public async Task Concurrent_lines_and_acknowledges_lose_nothing()
    {
        const int Rounds = 1_000;
        int accepted = 0;
        using ManualResetEventSlim seen = new();
        Task source = Task.Run(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                Raise(5);
                seen.Wait(TimeSpan.FromSeconds(10)).Should().BeTrue();
                seen.Reset();
                Lower(5);
            }
        });
        while (accepted < Rounds && !source.IsFaulted)
        {
            if (!_pic.Asserted)
                continue;
            _pic.Acknowledge().Should().Be(0x25);
            _pic.Out(0x20, 0x65);
            accepted++;
            seen.Set();
        }
        await source;
        _pic.Asserted.Should().BeFalse();
    }
}
