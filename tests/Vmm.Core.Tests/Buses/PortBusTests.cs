namespace Vmm.Core.Tests.Buses;

public sealed class PortBusTests
{
    [Theory]
    [InlineData(1, 0xFFu)]
    [InlineData(2, 0xFFFFu)]
    [InlineData(4, 0xFFFF_FFFFu)]
    public void Read_of_an_unassigned_port_gives_all_ones_and_is_counted(int size, uint expected)
    {
        PortBus bus = new();
        bus.Read(0x80, size).Should().Be(expected);
        bus.Write(0x80, size, 1);
        bus.UnassignedAccesses.Should().Be(2);
    }

    [Fact]
    public void Access_reaches_the_device_of_its_port_with_its_size()
    {
        PortBus bus = new();
        RecordingDevice first = new(0x1234_5678);
        RecordingDevice second = new();
        bus.Register(0x3F8, 8, first);
        bus.Register(0x400, 1, second);
        bus.Read(0x3F8, 1).Should().Be(0x78);
        bus.Read(0x3FF, 2).Should().Be(0x5678);
        bus.Write(0x3FC, 4, 0xDEAD_BEEF);
        bus.Write(0x400, 1, 0xFFFF_FF41);
        bus.Read(0x3F7, 1).Should().Be(0xFF);
        first.Accesses.Should().Equal("in 3F8 1", "in 3FF 2", "out 3FC 4 DEADBEEF");
        second.Accesses.Should().Equal("out 400 1 41");
    }

    [Fact]
    public void Register_over_a_taken_port_is_refused_naming_both()
    {
        PortBus bus = new();
        bus.Register(0x60, 5, new RecordingDevice(), "keyboard");
        Action act = () => bus.Register(0x64, 1, new RecordingDevice(), "other");
        act.Should().Throw<ArgumentException>().WithMessage("*other at port 0x64 overlaps keyboard at ports 0x60-0x64*");
        bus.Ranges.Should().ContainSingle();
    }

    [Fact]
    public void Register_takes_the_whole_port_space_and_no_more()
    {
        PortBus bus = new();
        bus.Register(0, 0x1_0000, new RecordingDevice(7)).Dispose();
        Action beyond = () => bus.Register(0xFFFF, 2, new RecordingDevice());
        beyond.Should().Throw<ArgumentOutOfRangeException>();
        Action empty = () => bus.Register(0, 0, new RecordingDevice());
        empty.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Dispose_takes_only_its_own_ports_away_and_only_once()
    {
        PortBus bus = new();
        RecordingDevice old = new(1);
        RecordingDevice young = new(2);
        IDisposable guard = bus.Register(0x20, 2, old);
        guard.Dispose();
        bus.Read(0x20, 1).Should().Be(0xFF);
        bus.Register(0x20, 2, young);
        guard.Dispose();
        bus.Read(0x20, 1).Should().Be(2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(8)]
    public void Access_of_an_impossible_size_is_refused(int size)
    {
        PortBus bus = new();
        Action read = () => bus.Read(0, size);
        Action write = () => bus.Write(0, size, 0);
        read.Should().Throw<ArgumentOutOfRangeException>();
        write.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Access_allocates_nothing()
    {
        PortBus bus = new();
        bus.Register(0x10, 1, new QuietDevice());
        AllocationMeter.Of(() =>
        {
            bus.Write(0x10, 1, 5);
            bus.Read(0x10, 1);
            bus.Read(0x11, 4);
        }).Should().Be(0);
    }

    private sealed class QuietDevice : IPortDevice
    {
        private uint _value;

        public uint Read(ushort port, int size) => _value;

        public void Write(ushort port, int size, uint value) => _value = value;
    }
}
