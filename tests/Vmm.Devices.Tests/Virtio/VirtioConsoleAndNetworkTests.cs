namespace Vmm.Devices.Tests;

public sealed class VirtioConsoleAndNetworkTests : VirtioTestBase
{
    private const ulong Data = 0x11_0000;

    private readonly List<byte> _sent = [];

    [Fact]
    public void Console_carries_bytes_both_ways()
    {
        VirtioConsole console = Own(new VirtioConsole(Ram.Device, Clock, data => _sent.AddRange(data.ToArray())));
        TestDriver driver = NewDriver("pci", console);
        driver.Start(TestDriver.Version1, 2);
        Ram.Write(Data, "hello"u8);
        driver.Submit(1, (Data, 2, false), (Data + 2, 3, false));
        driver.Notify(1);
        driver.TakeUsed(1).Should().Be((0u, 0u));
        _sent.Should().Equal("hello"u8.ToArray());

        console.Receive("typed"u8).Should().Be(5);
        driver.Submit(0, (Data, 3, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 3u));
        driver.Submit(0, (Data + 3, 30, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 2u));
        Ram.Read(Data, 5).Should().Equal("typed"u8.ToArray());
        driver.Submit(0, (Data, 30, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().BeNull("nothing was typed");
        driver.AcknowledgeInterrupt();
        console.Receive("!"u8).Should().Be(1);
        driver.TakeUsed(0).Should().Be((0u, 1u));
        driver.InterruptPending.Should().BeTrue();
        console.Receive(new byte[VirtioConsole.InputLimit + 1]).Should().Be(VirtioConsole.InputLimit);
        console.Receive("more"u8).Should().Be(0);
    }

    [Fact]
    public void Card_carries_frames_both_ways()
    {
        TestLink link = new();
        VirtioNetwork card = Own(new VirtioNetwork(Ram.Device, Clock, link, [2, 1, 2, 3, 4, 5]));
        TestDriver driver = NewDriver("mmio", card);
        (driver.ReadFeatures() & 1ul << 5).Should().NotBe(0);
        driver.Start(TestDriver.Version1 | 1ul << 5, 2);
        Enumerable.Range(0, 6).Select(offset => driver.ReadConfiguration(offset, 1)).Should().Equal(2, 1, 2, 3, 4, 5);
        byte[] frame = [.. Enumerable.Range(0, 100).Select(value => (byte)value)];
        Ram.Write(Data + 12, frame);
        driver.Submit(1, (Data, 12, false), (Data + 12, 100, false));
        driver.Notify(1);
        driver.TakeUsed(1).Should().NotBeNull();
        link.Sent.Should().ContainSingle().Which.Should().Equal(frame);

        link.Receiver!(frame);
        driver.TakeUsed(0).Should().BeNull();
        driver.Submit(0, (Data + 0x1000, 1526, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 112u));
        Ram.Read(Data + 0x1000, 112).Should().Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, .. frame]);
    }

    [Fact]
    public void Frame_that_is_too_long_is_dropped_and_a_buffer_that_is_too_small_breaks()
    {
        TestLink link = new();
        VirtioNetwork card = Own(new VirtioNetwork(Ram.Device, Clock, link));
        TestDriver driver = NewDriver("mmio", card);
        link.Receiver!([1, 2, 3]);
        card.DroppedFrames.Should().Be(1, "nobody drives the card");
        driver.Start(TestDriver.Version1, 2);
        driver.Submit(1, (Data, 12 + 1515, false));
        driver.Notify(1);
        driver.TakeUsed(1).Should().NotBeNull();
        link.Sent.Should().BeEmpty();
        for (int frame = 0; frame < 2000; frame++)
            link.Receiver([1, 2, 3]);
        card.DroppedFrames.Should().Be(1 + 2000 - 1024);
        driver.Submit(0, (Data, 14, true));
        driver.Notify(0);
        driver.Status.Should().Be(0x4F);
    }

    private sealed class TestLink : INetworkLink
    {
        public NetworkReceiver? Receiver { get; private set; }

        public List<byte[]> Sent { get; } = [];

        public void Connect(NetworkReceiver receiver) => Receiver = receiver;

        public void Send(ReadOnlySpan<byte> frame) => Sent.Add(frame.ToArray());
    }
}
