namespace Vmm.Devices.Tests;

public sealed class ChipsetTests
{
    private readonly PortBus _ports = new();
    private readonly PciBus _bus;
    private readonly Dictionary<int, TestLine> _isa = [];
    private readonly TestLine[] _direct = [new(), new(), new(), new()];
    private readonly HostBridge440Fx _host = new();
    private readonly PiixIsaBridge _isaBridge;

    public ChipsetTests()
    {
        _bus = new PciBus(_ports, new MmioBus());
        _isaBridge = new PiixIsaBridge(IsaLine, _direct);
        _bus.Add(0, 0, _host);
        _bus.Add(1, 0, _isaBridge);
        _bus.ConnectInterrupts(_isaBridge.SetLine);
    }

    private TestLine IsaLine(int request)
    {
        request.Should().NotBe(2);
        return _isa.TryGetValue(request, out TestLine? line) ? line : _isa[request] = new TestLine();
    }

    private bool IsaLevel(int request) => _isa.TryGetValue(request, out TestLine? line) && line.Level;

    [Fact]
    public void Bridges_are_those_firmware_looks_for()
    {
        _bus.ReadConfiguration(0, 0, 0, 4).Should().Be(0x1237_8086);
        _bus.ReadConfiguration(0, 0, 8, 4).Should().Be(0x0600_0002);
        _bus.ReadConfiguration(1, 0, 0, 4).Should().Be(0x7000_8086);
        _bus.ReadConfiguration(1, 0, 8, 4).Should().Be(0x0601_0000);
        _bus.ReadConfiguration(1, 0, 0x60, 4).Should().Be(0x8080_8080, "nothing is routed at power-on");
    }

    [Theory]
    [InlineData(0x59, 0x10, 0xF_0000, GuestAccess.Read), InlineData(0x59, 0x30, 0xF_0000, GuestAccess.Read | GuestAccess.Write)]
    [InlineData(0x5A, 0x01, 0xC_0000, GuestAccess.Read), InlineData(0x5A, 0x20, 0xC_4000, GuestAccess.Write)]
    [InlineData(0x5C, 0x30, 0xD_4000, GuestAccess.Read | GuestAccess.Write), InlineData(0x5F, 0x02, 0xE_8000, GuestAccess.Write)]
    public void Shadow_register_governs_its_segment_alone(int register, uint value, ulong address, GuestAccess expected)
    {
        int changes = 0;
        _host.ShadowChanged += () => changes++;
        _bus.WriteConfiguration(0, 0, register, 1, value);
        changes.Should().Be(1);
        for (int segment = 0; segment < HostBridge440Fx.SegmentCount; segment++)
            _host.ShadowOf(segment).Should().Be(HostBridge440Fx.RangeOf(segment).Address == address ? expected : GuestAccess.None);
        _bus.Reset();
        changes.Should().Be(2);
        _host.ShadowOf(0).Should().Be(GuestAccess.None);
    }

    [Fact]
    public void Segments_cover_the_legacy_area_without_overlap()
    {
        ulong next = 0xC_0000;
        foreach ((ulong address, ulong length) in Enumerable.Range(0, HostBridge440Fx.SegmentCount).Select(HostBridge440Fx.RangeOf).Order())
        {
            address.Should().Be(next);
            next += length;
        }
        next.Should().Be(0x10_0000);
    }

    [Fact]
    public void Route_sends_a_line_to_its_request_and_to_its_direct_wire()
    {
        TestFunction function = new();
        _bus.Add(3, 0, function);
        _bus.WriteConfiguration(1, 0, 0x62, 1, 0x0B);
        function.SetInterrupt(true);
        IsaLevel(11).Should().BeTrue("pin A of device 3 is PIRQC#");
        _direct.Select(line => line.Level).Should().Equal(false, false, true, false);
        _bus.WriteConfiguration(1, 0, 0x62, 1, 0x05);
        IsaLevel(11).Should().BeFalse();
        IsaLevel(5).Should().BeTrue("an asserted line follows its route");
        _bus.WriteConfiguration(1, 0, 0x62, 1, 0x85);
        IsaLevel(5).Should().BeFalse();
        _direct[2].Level.Should().BeTrue();
    }

    [Fact]
    public void Request_shared_by_two_lines_falls_when_both_have()
    {
        TestFunction first = new();
        TestFunction second = new();
        _bus.Add(1, 1, first);
        _bus.Add(2, 0, second);
        _bus.WriteConfiguration(1, 0, 0x60, 2, 0x0A0A);
        first.SetInterrupt(true);
        second.SetInterrupt(true);
        first.SetInterrupt(false);
        IsaLevel(10).Should().BeTrue();
        second.SetInterrupt(false);
        IsaLevel(10).Should().BeFalse();
        _isa[10].Rises.Should().Be(1);
    }

    [Theory]
    [InlineData(0u), InlineData(1u), InlineData(2u), InlineData(8u), InlineData(13u)]
    public void Reserved_route_goes_nowhere(uint route)
    {
        TestFunction function = new();
        _bus.Add(5, 0, function);
        _bus.WriteConfiguration(1, 0, 0x60, 1, route);
        function.SetInterrupt(true);
        _isa.Should().BeEmpty();
    }

    [Fact]
    public void Power_management_block_appears_where_and_when_firmware_says()
    {
        TestFunction.Cells block = new();
        PiixPowerManagement function = new(_ports, block);
        _bus.Add(1, 3, function);
        _bus.ReadConfiguration(1, 3, 0x40, 4).Should().Be(1);
        _bus.WriteConfiguration(1, 3, 0x40, 4, 0x0000_B001);
        _ports.Read(0xB008, 4).Should().Be(0xFFFF_FFFF, "it is not enabled yet");
        _bus.WriteConfiguration(1, 3, 0x80, 1, 1);
        function.Address.Should().Be(0xB000);
        _ports.Read(0xB008, 4).Should().Be(0x5566_7708);
        _ports.Write(0xB004, 2, 0x2000);
        block.Writes.Should().Equal((4ul, 2, 0x2000ul));
        _bus.WriteConfiguration(1, 3, 0x40, 4, 0x0000_0601);
        _ports.Read(0xB008, 4).Should().Be(0xFFFF_FFFF);
        _ports.Read(0x608, 1).Should().Be(8);
        _bus.Reset();
        function.Address.Should().BeNull();
    }

    [Fact]
    public void Power_management_block_is_at_its_initial_base_without_firmware()
    {
        PiixPowerManagement function = new(_ports, new TestFunction.Cells(), 0x600);
        _bus.Add(1, 3, function);
        function.Address.Should().Be(0x600);
        _bus.WriteConfiguration(1, 3, 0x80, 1, 0);
        _bus.Reset();
        function.Address.Should().Be(0x600);
    }

    [Fact]
    public void Placement_puts_every_window_apart_and_tells_requests()
    {
        _bus.WriteConfiguration(1, 0, 0x60, 4, 0x0B0B_0A0A);
        TestFunction[] functions = [new(), new()];
        foreach (TestFunction function in functions)
            _bus.AddNext(function);
        PciPlacement.Place(_bus, 0xE000_0000, 0xFE00_0000, 0xC000);
        ulong?[] addresses = [.. functions.SelectMany(function => function.Bars).Select(bar => bar.Address)];
        addresses.Should().NotContainNulls().And.OnlyHaveUniqueItems();
        functions.SelectMany(function => function.Bars).Should().OnlyContain(bar => bar.Address % bar.Size == 0);
        _bus.ReadConfiguration(2, 0, 0x3C, 1).Should().Be(10);
        _bus.ReadConfiguration(3, 0, 0x3C, 1).Should().Be(11);
        ((Action)(() => PciPlacement.Place(_bus, 0xE000_0000, 0xE010_0000, 0xC000))).Should().Throw<InvalidOperationException>();
    }
}
