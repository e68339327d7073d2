using Vmm.Emulator.Interrupts;

namespace Vmm.Emulator.Tests.Interrupts;

/// <summary>Inter-processor interrupts, device messages, pins (SDM Vol. 3A 11.5.1, 11.6).</summary>
public sealed class LocalApicBusTests
{
    private readonly LocalApicBus _bus = new();
    private readonly ApicBench[] _cpus;

    public LocalApicBusTests() => _cpus = [.. Enumerable.Range(0, 4).Select(i => new ApicBench((uint)i, _bus).Enabled())];

    private void Send(int from, uint high, uint low)
    {
        _cpus[from][0x310] = high;
        _cpus[from][0x300] = low;
    }

    private bool Request(InterruptRequest request) => _bus.Deliver(ApicMessage.FromRequest(request), null);

    private string Reached(int vector) => string.Concat(_cpus.Select(cpu =>
        (cpu[0x200 + ((vector >> 5) * 16)] >> (vector & 31) & 1) != 0 ? '1' : '0'));

    [Theory]
    [InlineData(0x0200_0000u, 0x0_4050u, "0010")]
    [InlineData(0xFF00_0000u, 0x0_4050u, "1111")]
    [InlineData(0x0900_0000u, 0x0_4050u, "0000")]
    [InlineData(0x0000_0000u, 0x4_4050u, "0100")]
    [InlineData(0x0000_0000u, 0x8_4050u, "1111")]
    [InlineData(0x0000_0000u, 0xC_4050u, "1011")]
    public void Fixed_vector_reaches_whom_destination_and_shorthand_name(uint high, uint low, string reached)
    {
        Send(1, high, low);
        Reached(0x50).Should().Be(reached);
    }

    [Theory]
    [InlineData(0x03u, "1100")]
    [InlineData(0x08u, "0001")]
    [InlineData(0xFFu, "1111")]
    [InlineData(0xF0u, "0000")]
    public void Flat_logical_destination_is_a_set_of_bits(uint destination, string reached)
    {
        for (int i = 0; i < 4; i++)
            _cpus[i][0xD0] = 0x0100_0000u << i;
        Send(0, destination << 24, 0x4850);
        Reached(0x50).Should().Be(reached);
    }

    [Theory]
    [InlineData(0x01u, "1000")]
    [InlineData(0x03u, "1100")]
    [InlineData(0x12u, "0001")]
    [InlineData(0xF1u, "1010")]
    [InlineData(0xFFu, "1111")]
    [InlineData(0x21u, "0000")]
    public void Cluster_logical_destination_is_a_cluster_and_a_set(uint destination, string reached)
    {
        uint[] ids = [0x01, 0x02, 0x11, 0x12];
        for (int i = 0; i < 4; i++)
        {
            _cpus[i][0xE0] = 0x0FFF_FFFF;
            _cpus[i][0xD0] = ids[i] << 24;
        }

        Send(0, destination << 24, 0x4850);
        Reached(0x50).Should().Be(reached);
    }

    [Fact]
    public void X2Apic_addresses_are_32_bits_wide()
    {
        LocalApicBus bus = new();
        ApicBench sender = new ApicBench(0, bus).Enabled().InX2Apic();
        ApicBench other = new ApicBench(0x123, bus).Enabled().InX2Apic();
        sender.Write(0x830, (0x123UL << 32) | 0x50).Should().BeTrue();
        other.Apic.PendingVector.Should().Be(0x50);
        sender.Write(0x830, (((0x12UL << 16) | (1 << 3)) << 32) | 0x861).Should().BeTrue();
        other.Apic.PendingVector.Should().Be(0x61);
        sender.Write(0x830, (0xFFUL << 32) | 0x72);
        other.Apic.PendingVector.Should().Be(0x61, "0xFF is an id, not everyone");
        sender.Write(0x830, (0xFFFF_FFFFUL << 32) | 0x83);
        other.Apic.PendingVector.Should().Be(0x83);
        sender.Apic.PendingVector.Should().Be(0x83);
        sender.Write(0x83F, 0x94);
        sender.Apic.PendingVector.Should().Be(0x94);
        other.Apic.PendingVector.Should().Be(0x83);
    }

    [Fact]
    public void Lowest_priority_goes_to_the_processor_that_runs_at_it()
    {
        _cpus[0][0x80] = 0x30;
        _cpus[1][0x80] = 0x20;
        _cpus[2][0x80] = 0x10;
        _cpus[3][0x80] = 0x40;
        Send(0, 0xFF00_0000, 0x4150);
        Reached(0x50).Should().Be("0010");
        _cpus[2][0xF0] = 0xFF;
        Send(0, 0xFF00_0000, 0x4151);
        Reached(0x51).Should().Be("0100", "a disabled APIC does not take part");
    }

    [Fact]
    public void Lowest_priority_takes_turns_among_equals()
    {
        for (int i = 0; i < 8; i++)
            Send(0, 0xFF00_0000, 0x4150u + (uint)i);
        _cpus.Should().AllSatisfy(cpu => Enumerable.Range(0x50, 8).Count(v => ((cpu[0x220] >> (v & 31)) & 1) != 0).Should().Be(2));
    }

    [Fact]
    public void Nmi_init_and_startup_arrive_as_signals()
    {
        Send(0, 0x0100_0000, 0x4400);
        _cpus[1].Apic.Signals.Should().Be(ApicSignals.NonMaskable);
        Send(0, 0x0200_0000, 0xC500);
        _cpus[2].Apic.Signals.Should().Be(ApicSignals.Init);
        Send(0, 0x0200_0000, 0x8500);
        Send(0, 0x0200_0000, 0x4699);
        _cpus[2].Apic.Signals.Should().Be(ApicSignals.Init | ApicSignals.Startup);
        _cpus[2].Apic.StartupVector.Should().Be(0x99);
        _cpus[2].Kicks.Should().BeGreaterThan(0);
        _cpus[3].Apic.Signals.Should().Be(ApicSignals.None);
    }

    [Fact]
    public void Deassertion_of_init_is_not_an_init()
    {
        Send(0, 0x0200_0000, 0x8500);
        _cpus[2].Apic.Signals.Should().Be(ApicSignals.None);
    }

    [Fact]
    public void Illegal_vector_is_an_error_of_the_sender()
    {
        Send(0, 0x0100_0000, 0x400F);
        Reached(0x0F).Should().Be("0000");
        _cpus[0][0x280] = 0;
        _cpus[0][0x280].Should().Be(1 << 5);
    }

    [Fact]
    public void Device_messages_reach_ids_sets_and_everyone()
    {
        Request(new InterruptRequest { Vector = 0x50, Destination = 2 }).Should().BeTrue();
        Reached(0x50).Should().Be("0010");
        Request(new InterruptRequest { Vector = 0x51, Destination = 0xFF, LevelTriggered = true }).Should().BeTrue();
        Reached(0x51).Should().Be("1111");
        _cpus[3].Apic.Acknowledge();
        _cpus[3][0xB0] = 0;
        _cpus[3].Ended.Should().Equal(0x51);
        Request(new InterruptRequest { Vector = 0x52, Destination = 9 }).Should().BeFalse();
        _cpus[1][0xD0] = 0x0200_0000;
        Request(new InterruptRequest { Vector = 0x53, Destination = 2, Logical = true }).Should().BeTrue();
        Reached(0x53).Should().Be("0100");
        InterruptRequest external = new() { Mode = InterruptDeliveryMode.External };
        Request(external).Should().BeTrue();
        _cpus[0].Apic.Signals.Should().Be(ApicSignals.External);
    }

    [Fact]
    public void Globally_disabled_apic_receives_nothing()
    {
        _cpus[2].Apic.TryWriteBase(0xFEE0_0000);
        Send(0, 0x0200_0000, 0x4400);
        Send(0, 0xFF00_0000, 0x4500);
        _cpus[2].Apic.Signals.Should().Be(ApicSignals.None);
        _cpus[1].Apic.Signals.Should().Be(ApicSignals.Init);
    }

    [Fact]
    public void Local_pins_follow_their_entries()
    {
        ApicBench cpu = _cpus[0];
        cpu.Apic.PassesExternalInterrupts.Should().BeFalse();
        cpu[0x350] = 0x700;
        cpu.Apic.PassesExternalInterrupts.Should().BeTrue();
        cpu[0x360] = 0x400;
        cpu.Apic.SetPin(1, true);
        cpu.Apic.TakeSignal(ApicSignals.NonMaskable).Should().BeTrue();
        cpu.Apic.SetPin(1, true);
        cpu.Apic.Signals.Should().Be(ApicSignals.None, "only the edge counts");
        cpu.Apic.SetPin(1, false);
        cpu[0x360] = 0x1_0400;
        cpu.Apic.SetPin(1, true);
        cpu.Apic.Signals.Should().Be(ApicSignals.None, "masked");
    }

    [Fact]
    public void Level_pin_interrupts_again_until_it_goes_down()
    {
        ApicBench cpu = _cpus[0];
        cpu[0x350] = 0x8060;
        cpu.Apic.SetPin(0, true);
        cpu[0x350].Should().Be(0xC060, "remote IRR is set");
        cpu.Apic.Acknowledge().Should().Be(0x60);
        cpu[0xB0] = 0;
        cpu.Apic.Acknowledge().Should().Be(0x60);
        cpu.Apic.SetPin(0, false);
        cpu[0xB0] = 0;
        cpu[0x350].Should().Be(0x8060);
        cpu.Apic.PendingVector.Should().Be(0);
    }

    [Fact]
    public void Pins_work_without_an_apic_in_the_way()
    {
        ApicBench cpu = _cpus[0];
        cpu.Apic.TryWriteBase(0xFEE0_0100).Should().BeTrue();
        cpu.Apic.PassesExternalInterrupts.Should().BeTrue();
        cpu.Apic.SetPin(1, true);
        cpu.Apic.Signals.Should().Be(ApicSignals.NonMaskable);
    }

    [Fact]
    public void Virtual_wire_mode_is_what_firmware_leaves_behind()
    {
        ApicBench cpu = new(7);
        cpu.Apic.EnterVirtualWireMode();
        cpu.Apic.PassesExternalInterrupts.Should().BeTrue();
        cpu.Apic.IsSoftwareEnabled.Should().BeTrue();
        cpu.Apic.SetPin(1, true);
        cpu.Apic.Signals.Should().Be(ApicSignals.NonMaskable);
    }

    [Fact]
    public void Ids_are_unique()
    {
        Action again = () => _ = new ApicBench(2, _bus);
        again.Should().Throw<ArgumentException>();
    }
}
