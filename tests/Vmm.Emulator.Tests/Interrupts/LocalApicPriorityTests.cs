using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Tests.Interrupts;

/// <summary>Acceptance, priority and end of interrupt (SDM Vol. 3A 11.8).</summary>
public sealed class LocalApicPriorityTests
{
    private readonly ApicBench _bench = new ApicBench().Enabled();

    private LocalApic Apic => _bench.Apic;

    [Fact]
    public void Highest_vector_is_taken_first_and_masks_its_class_and_below()
    {
        Apic.Accept(0x31, false).Should().BeTrue();
        Apic.Accept(0x45, false);
        Apic.Accept(0x42, false);
        Apic.PendingVector.Should().Be(0x45);

        Apic.Acknowledge().Should().Be(0x45);
        _bench[0xA0].Should().Be(0x40, "PPR is the class in service");
        Apic.PendingVector.Should().Be(0, "0x42 is of the class in service");
        Apic.Accept(0x51, false);
        Apic.Acknowledge().Should().Be(0x51, "a higher class interrupts");

        _bench[0xB0] = 0;
        Apic.PendingVector.Should().Be(0);
        _bench[0xB0] = 0;
        Apic.PendingVector.Should().Be(0x42);
        Apic.Acknowledge();
        _bench[0xB0] = 0;
        Apic.Acknowledge().Should().Be(0x31);
        _bench[0xB0] = 0;
        _bench[0xA0].Should().Be(0);
    }

    [Fact]
    public void Registers_show_request_and_service()
    {
        Apic.Accept(0x31, false);
        Apic.Accept(0xFF, false);
        _bench[0x210].Should().Be(1 << 17);
        _bench[0x270].Should().Be(1u << 31);
        Apic.Acknowledge();
        _bench[0x270].Should().Be(0);
        _bench[0x170].Should().Be(1u << 31);
    }

    [Theory]
    [InlineData(0x30u, 0, 0x30u)]
    [InlineData(0x2Fu, 0x31, 0x2Fu)]
    [InlineData(0x3Fu, 0, 0x3Fu)]
    [InlineData(0x40u, 0, 0x40u)]
    public void Task_priority_holds_back_its_class_and_below(uint priority, int pending, uint ppr)
    {
        Apic.Accept(0x31, false);
        _bench[0x80] = priority;
        Apic.PendingVector.Should().Be(pending);
        _bench[0xA0].Should().Be(ppr);
    }

    [Fact]
    public void Processor_priority_is_the_higher_of_task_and_service()
    {
        Apic.Accept(0x53, false);
        Apic.Acknowledge();
        _bench[0x80] = 0x4A;
        _bench[0xA0].Should().Be(0x50, "the class in service is higher, and the low bits are then zero");
        _bench[0x80] = 0x5A;
        _bench[0xA0].Should().Be(0x5A);
        _bench[0x80] = 0x6A;
        _bench[0xA0].Should().Be(0x6A);
    }

    [Fact]
    public void Cr8_is_the_upper_half_of_the_task_priority()
    {
        _bench[0x80] = 0x7C;
        Apic.Cr8.Should().Be(7);
        Apic.Cr8 = 3;
        _bench[0x80].Should().Be(0x30);
    }

    [Fact]
    public void Lowered_priority_kicks_when_something_becomes_deliverable()
    {
        _bench[0x80] = 0xF0;
        Apic.Accept(0x80, false);
        int kicks = _bench.Kicks;
        Apic.Cr8 = 9;
        _bench.Kicks.Should().Be(kicks);
        Apic.Cr8 = 7;
        _bench.Kicks.Should().Be(kicks + 1);
        Apic.PendingVector.Should().Be(0x80);
    }

    [Fact]
    public void Same_vector_can_be_in_service_and_requested_again_once()
    {
        Apic.Accept(0x60, false);
        Apic.Acknowledge();
        Apic.Accept(0x60, false);
        Apic.Accept(0x60, false);
        _bench[0xB0] = 0;
        Apic.Acknowledge().Should().Be(0x60);
        _bench[0xB0] = 0;
        Apic.PendingVector.Should().Be(0);
    }

    [Fact]
    public void End_of_level_interrupt_is_reported_and_of_edge_is_not()
    {
        Apic.Accept(0x60, true);
        Apic.Accept(0x50, false);
        _bench[0x1B0].Should().Be(1, "TMR bit of vector 0x60");
        Apic.Acknowledge();
        _bench[0xB0] = 0;
        _bench.Ended.Should().Equal(0x60);
        Apic.Acknowledge();
        _bench[0xB0] = 0;
        _bench.Ended.Should().HaveCount(1);
        _bench[0xB0] = 0;
        _bench.Ended.Should().HaveCount(1, "nothing was in service");
        Apic.Accept(0x60, false);
        _bench[0x1B0].Should().Be(0, "an edge message clears the TMR bit");
    }

    [Fact]
    public void Nothing_to_take_gives_the_spurious_vector()
    {
        _bench[0xF0] = 0x1EF;
        Apic.Acknowledge().Should().Be(0xEF);
        _bench[0x170].Should().Be(0, "the spurious vector does not go in service");
    }

    [Fact]
    public void Software_disabled_apic_takes_no_vector_and_keeps_what_it_has()
    {
        Apic.Accept(0x60, false);
        _bench[0xF0] = 0xFF;
        Apic.Accept(0x70, false).Should().BeFalse();
        Apic.PendingVector.Should().Be(0x60);
        Apic.Receive(new ApicMessage { Mode = ApicDeliveryMode.NonMaskable }).Should().BeTrue();
        Apic.TakeSignal(ApicSignals.NonMaskable).Should().BeTrue();
        Apic.TakeSignal(ApicSignals.NonMaskable).Should().BeFalse();
    }

    [Fact]
    public void Vectors_below_16_are_errors()
    {
        _bench[0x370] = 0xE1;
        Apic.Accept(0xF, false);
        Apic.PendingVector.Should().Be(0xE1, "the error entry interrupts");
        _bench[0x280].Should().Be(0, "errors show after a write only");
        _bench[0x280] = 0;
        _bench[0x280].Should().Be(1 << 6);
        _bench[0x280] = 0;
        _bench[0x280].Should().Be(0);
    }

    [Fact]
    public void Error_interrupts_once_until_the_status_register_is_written()
    {
        _bench[0x370] = 0xE1;
        Apic.Accept(3, false);
        Apic.Acknowledge().Should().Be(0xE1);
        _bench[0xB0] = 0;
        Apic.Accept(3, false);
        Apic.PendingVector.Should().Be(0);
        _bench[0x280] = 0;
        Apic.Accept(3, false);
        Apic.PendingVector.Should().Be(0xE1);
    }

    [Fact]
    public void Requests_from_many_threads_are_all_taken()
    {
        const int Threads = 4;
        Thread[] senders = [.. Enumerable.Range(0, Threads).Select(i => new Thread(() =>
        {
            for (int vector = 16 + i; vector < 256; vector += Threads)
                Apic.Accept(vector, false);
        }))];
        foreach (Thread sender in senders)
            sender.Start();
        HashSet<int> taken = [];
        while (taken.Count < 240 && (senders.Any(sender => sender.IsAlive) || Apic.PendingVector != 0))
        {
            if (Apic.PendingVector == 0)
                continue;
            taken.Add(Apic.Acknowledge()).Should().BeTrue();
            _bench[0xB0] = 0;
        }

        taken.Should().HaveCount(240);
    }
}
