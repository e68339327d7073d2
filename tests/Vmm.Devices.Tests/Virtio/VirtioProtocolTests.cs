namespace Vmm.Devices.Tests;

/// <summary>Negotiation, status, rings and interrupts, with the entropy device: its requests are the simplest.</summary>
public sealed class VirtioProtocolTests : VirtioTestBase
{
    private const ulong Data = 0x11_0000;

    private VirtioEntropy NewSource() => Own(new VirtioEntropy(Ram.Device, Clock, destination => destination.Fill(0x5A)));

    [Fact]
    public void Memory_mapped_registers_say_version_2()
    {
        MmioDriver driver = new(Ram, NewSource());
        driver.Read(0x00).Should().Be(0x7472_6976);
        driver.Read(0x04).Should().Be(2);
        driver.Read(0x08).Should().Be(4);
        driver.Read(0xB0).Should().Be(uint.MaxValue, "there is no shared memory");
        driver.Read(0xB8).Should().Be(uint.MaxValue);
        driver.Write(0x30, 0);
        driver.Read(0x34).Should().Be(64);
        driver.Write(0x30, 1);
        driver.Read(0x34).Should().Be(0, "there is one queue");
    }

    [Fact]
    public void Pci_function_is_a_modern_device()
    {
        PciDriver driver = new(Ram, NewSource());
        driver.ReadRegister(0, 4).Should().Be(0x1044_1AF4);
        driver.ReadRegister(8, 1).Should().Be(1);
        driver.ReadRegister(0x2E, 2).Should().BeGreaterThanOrEqualTo(0x40);
        driver.Mmio.Read(driver.Common + 0x12, 2).Should().Be(1);
        driver.MsixCapability.Should().Be(0, "there is nobody to send messages to");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Request_is_served_and_announced(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        driver.Start(TestDriver.Version1);
        driver.Submit(0, (Data, 10, true), (Data + 100, 5, true));
        driver.InterruptPending.Should().BeFalse();
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 15u));
        Ram.Read(Data, 11).Should().Equal([.. Enumerable.Repeat((byte)0x5A, 10), 0]);
        driver.InterruptPending.Should().BeTrue();
        driver.AcknowledgeInterrupt();
        driver.InterruptPending.Should().BeFalse();
        driver.Notify(0);
        driver.InterruptPending.Should().BeFalse("nothing new was served");
        driver.Notify(3);
        driver.Status.Should().Be(15, "a queue that does not exist is nobody's");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Request_made_before_the_driver_is_ready_is_served_then(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        driver.Start(TestDriver.Version1);
        driver.Status = 0;
        driver.Status.Should().Be(0);
        driver.Status = 3;
        driver.WriteFeatures(TestDriver.Version1);
        driver.Status = 11;
        Ram.Write(TestDriver.Descriptors(0), new byte[0x1000]);
        driver.SetUpQueue(0, TestDriver.QueueSize, TestDriver.Descriptors(0), TestDriver.Available(0), TestDriver.Used(0));
        driver.EnableQueue(0);
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().BeNull();
        driver.Status = 15;
        driver.TakeUsed(0).Should().NotBeNull();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Features_are_accepted_only_with_version_1_and_if_offered(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        foreach (ulong features in (ulong[])[0, TestDriver.EventIndex, TestDriver.Version1 | 1ul << 40, TestDriver.Version1 | 1])
        {
            driver.Status = 0;
            driver.Status = 3;
            driver.WriteFeatures(features);
            driver.Status = 11;
            driver.Status.Should().Be(3, $"features {features:X} are not acceptable");
        }
        driver.WriteFeatures(TestDriver.Version1);
        driver.Status = 11;
        driver.Status.Should().Be(11);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Driver_that_wants_no_interrupt_gets_none(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        driver.Start(TestDriver.Version1);
        Ram.Write16(TestDriver.Available(0), 1);
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().NotBeNull();
        driver.InterruptPending.Should().BeFalse();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Event_index_says_when_to_interrupt_and_when_to_notify(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        driver.Start(TestDriver.Version1 | TestDriver.EventIndex);
        // Interrupt when the used index passes 2, that is with the third request.
        Ram.Write16(TestDriver.Available(0) + 4 + TestDriver.QueueSize * 2, 2);
        for (int request = 1; request <= 4; request++)
        {
            driver.Submit(0, (Data, 4, true));
            driver.Notify(0);
            Ram.Read16(TestDriver.Used(0) + 4 + TestDriver.QueueSize * 8).Should().Be((ushort)request, "the next is what it waits for");
            driver.InterruptPending.Should().Be(request == 3);
            driver.AcknowledgeInterrupt();
        }
    }

    [Fact]
    public void Indexes_wrap()
    {
        TestDriver driver = NewDriver("mmio", NewSource());
        driver.Start(TestDriver.Version1);
        for (int request = 0; request < 0x1_0010; request++)
        {
            driver.MakeAvailable(0, 0);
            if (request == 0)
                driver.Describe(0, 0, Data, 4, 2, 0);
            driver.Notify(0);
        }
        Ram.Read16(TestDriver.Used(0) + 2).Should().Be(0x10);
        driver.Status.Should().Be(15);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Indirect_table_serves_as_a_chain(string transport)
    {
        const ulong Table = 0x20_0000;
        TestDriver driver = NewDriver(transport, NewSource());
        driver.Start(TestDriver.Version1 | TestDriver.Indirect);
        driver.DescribeAt(Table, Data, 8, 2 | 1, 5);
        driver.DescribeAt(Table + 5 * 16, Data + 0x100, 8, 2, 0);
        driver.Describe(0, 2, Table, 6 * 16, 4, 0);
        driver.MakeAvailable(0, 2);
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((2u, 16u));
        Ram.Read(Data + 0x107, 2).Should().Equal(0x5A, 0);
    }

    [Theory]
    [InlineData(0, false), InlineData(3, false), InlineData(128, false), InlineData(0xFFFF, false)]
    [InlineData(64, true), InlineData(1, true)]
    public void Queue_of_an_impossible_size_is_not_enabled(int size, bool isPossible)
    {
        foreach (string transport in (string[])["pci", "mmio"])
        {
            TestDriver driver = NewDriver(transport, NewSource());
            driver.Start(TestDriver.Version1, 0);
            driver.SetUpQueue(0, size, 0x1_0000, 0x1_1000, 0x1_2000);
            driver.EnableQueue(0);
            (driver.Status & 0x40).Should().Be(isPossible ? 0 : 0x40);
            driver.InterruptPending.Should().Be(!isPossible, "a device in need says so");
        }
    }

    [Theory]
    [InlineData(0x1_0008ul, 0x1_1000ul, 0x1_2000ul), InlineData(0x1_0000ul, 0x1_1001ul, 0x1_2000ul)]
    [InlineData(0x1_0000ul, 0x1_1000ul, 0x1_2002ul)]
    [InlineData(GuestRam.Size - 16, 0x1_1000ul, 0x1_2000ul), InlineData(0x1_0000ul, ulong.MaxValue - 1, 0x1_2000ul)]
    [InlineData(0x1_0000ul, 0x1_1000ul, GuestRam.ReadOnlyPage), InlineData(0x1_0000ul, 0x1_1000ul, 0xFFFF_FFFF_FFFF_FFFCul)]
    public void Queue_at_an_impossible_address_is_not_enabled(ulong descriptors, ulong available, ulong used)
    {
        VirtioEntropy device = NewSource();
        TestDriver driver = NewDriver("mmio", device);
        driver.Start(TestDriver.Version1, 0);
        driver.SetUpQueue(0, 16, descriptors, available, used);
        driver.EnableQueue(0);
        driver.Status.Should().Be(0x4F);
        device.Fault.Should().NotBeNullOrEmpty();
        driver.Start(TestDriver.Version1);
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().NotBeNull("a reset heals it");
        device.Fault.Should().BeNull();
    }

    [Fact]
    public void Messages_are_sent_kept_while_masked_and_refused_for_unknown_vectors()
    {
        PciDriver driver = new(Ram, NewSource(), hasMessages: true);
        driver.Bus.WriteConfiguration(1, 0, driver.MsixCapability + 2, 2, 0xFFFF);
        driver.ReadRegister(driver.MsixCapability + 2, 2).Should().Be(0xC001, "there are two vectors");
        driver.Bus.WriteConfiguration(1, 0, driver.MsixCapability + 2, 2, 0x8000);
        driver.Start(TestDriver.Version1);
        driver.SetVector(0, 2);
        driver.Mmio.Read(driver.Common + 0x1A, 2).Should().Be(0xFFFF, "there is no vector 2");
        driver.SetVector(0, 1);
        driver.Mmio.Read(driver.Common + 0x1A, 2).Should().Be(1);
        driver.SetMessage(1, 0xFEE0_300C, 0x0000_0141, isMasked: true);

        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.Messages.Should().BeEmpty();
        driver.PendingMessages().Should().Be(2);
        driver.InterruptPending.Should().BeFalse("the pin is not used");
        driver.SetMessage(1, 0xFEE0_300C, 0x0000_0141, isMasked: false);
        driver.Messages.Should().Equal(
            new InterruptRequest { Vector = 0x41, Mode = InterruptDeliveryMode.LowestPriority, Destination = 3, Logical = true });
        driver.PendingMessages().Should().Be(0);
        // What is no message address would be a write to memory.
        driver.SetMessage(1, 0x0010_0000, 0x41, isMasked: false);
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.Messages.Should().HaveCount(1);
    }

    [Fact]
    public void Registers_can_be_reached_through_configuration_space()
    {
        PciDriver driver = new(Ram, NewSource());
        driver.Start(TestDriver.Version1);
        driver.Bus.WriteConfiguration(1, 0, driver.AccessCapability + 8, 4, 0x14);
        driver.Bus.WriteConfiguration(1, 0, driver.AccessCapability + 12, 4, 1);
        driver.ReadRegister(driver.AccessCapability + 16, 4).Should().Be(15);
        driver.Bus.WriteConfiguration(1, 0, driver.AccessCapability + 16, 4, 0);
        driver.Status.Should().Be(0, "the write was a reset");
        foreach (uint length in (uint[])[0, 3, 5, 8, 0xFFFF_FFFF])
        {
            driver.Bus.WriteConfiguration(1, 0, driver.AccessCapability + 12, 4, length);
            driver.Bus.WriteConfiguration(1, 0, driver.AccessCapability + 16, 4, 1);
            driver.Status.Should().Be(0);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Registers_survive_accesses_of_every_size_everywhere(string transport)
    {
        TestDriver driver = NewDriver(transport, NewSource());
        Random random = new(3);
        MmioBus mmio = driver is PciDriver pci ? pci.Mmio : new MmioBus();
        if (driver is MmioDriver)
            mmio.Register(0xE000_0000, VirtioMmioTransport.Length, new VirtioMmioTransport(NewSource(), new TestLine()));
        for (int round = 0; round < 20_000; round++)
        {
            ulong address = 0xE000_0000ul + (uint)random.Next(random.Next(3) == 0 ? 0x2_0000 : 0x100);
            int size = random.Next(1, 9);
            if (random.Next(2) == 0)
                mmio.Read(address, size);
            else
                mmio.Write(address, size, (ulong)random.NextInt64());
        }
    }

    [Fact]
    public void Nothing_is_served_after_disposal()
    {
        VirtioEntropy device = NewSource();
        TestDriver driver = NewDriver("mmio", device);
        driver.Start(TestDriver.Version1);
        driver.Submit(0, (Data, 4, true));
        device.Dispose();
        driver.Notify(0);
        driver.TakeUsed(0).Should().BeNull();
    }
}
