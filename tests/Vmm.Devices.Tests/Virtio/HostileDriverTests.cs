namespace Vmm.Devices.Tests;

/// <summary>Drivers that break the rules: the device asks for a reset, touches nothing it must not, and works again after one.</summary>
public sealed class HostileDriverTests : VirtioTestBase
{
    private const ulong Data = 0x11_0000;
    private const ulong Table = 0x20_0000;
    private const int Next = 1;
    private const int Write = 2;
    private const int Indirect = 4;

    private void ShouldNeedReset(Action<TestDriver> breaking)
    {
        VirtioEntropy device = Own(new VirtioEntropy(Ram.Device, Clock, destination => destination.Fill(0x5A)));
        TestDriver driver = NewDriver("mmio", device);
        driver.Start(TestDriver.Version1 | TestDriver.Indirect);
        breaking(driver);
        driver.Notify(0);
        driver.Status.Should().Be(0x4F);
        device.Fault.Should().NotBeNullOrEmpty();
        driver.InterruptPending.Should().BeTrue("a change of configuration is announced");
        Ram.Read16(TestDriver.Used(0) + 2).Should().Be(0, "nothing was served");
        driver.Notify(0);
        driver.Start(TestDriver.Version1);
        driver.InterruptPending.Should().BeFalse();
        driver.Submit(0, (Data, 4, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 4u));
    }

    [Fact]
    public void Chain_in_a_circle() => ShouldNeedReset(driver =>
    {
        driver.Describe(0, 0, Data, 4, Write | Next, 1);
        driver.Describe(0, 1, Data, 4, Write | Next, 0);
        driver.MakeAvailable(0, 0);
    });

    [Fact]
    public void Descriptor_outside_the_table() => ShouldNeedReset(driver => driver.MakeAvailable(0, TestDriver.QueueSize));

    [Fact]
    public void Next_outside_the_table() => ShouldNeedReset(driver =>
    {
        driver.Describe(0, 0, Data, 4, Write | Next, 0xFFFF);
        driver.MakeAvailable(0, 0);
    });

    [Fact]
    public void More_available_than_entries() => ShouldNeedReset(_ => Ram.Write16(TestDriver.Available(0) + 2, TestDriver.QueueSize + 1));

    [Fact]
    public void Readable_after_writable() => ShouldNeedReset(driver => driver.Submit(0, (Data, 4, true), (Data, 4, false)));

    [Fact]
    public void Nothing_to_write_to() => ShouldNeedReset(driver => driver.Submit(0, (Data, 4, false)));

    [Theory]
    [InlineData(GuestRam.Size, 4u), InlineData(GuestRam.Size - 2, 4u), InlineData(ulong.MaxValue - 1, 4u), InlineData(ulong.MaxValue, 1u)]
    [InlineData(GuestRam.ReadOnlyPage, 4u), InlineData(GuestRam.ReadOnlyPage - 1, 4u), InlineData(0x8000_0000_0000_0000ul, 0xFFFF_FFFFu)]
    public void Buffer_that_cannot_be_written(ulong address, uint length) =>
        ShouldNeedReset(driver => driver.Submit(0, (address, length, true)));

    [Theory]
    [InlineData(Table, 0u, Indirect), InlineData(Table, 15u, Indirect), InlineData(Table, 17u, Indirect)]
    [InlineData(Table, 32u, Indirect | Next), InlineData(GuestRam.Size, 16u, Indirect)]
    [InlineData(ulong.MaxValue - 15, 32u, Indirect), InlineData(ulong.MaxValue, 16u, Indirect)]
    public void Impossible_indirect_table(ulong table, uint length, int flags) => ShouldNeedReset(driver =>
    {
        driver.Describe(0, 0, table, length, flags, 1);
        driver.Describe(0, 1, Data, 4, Write, 0);
        driver.MakeAvailable(0, 0);
    });

    [Fact]
    public void Indirect_table_in_an_indirect_table() => ShouldNeedReset(driver =>
    {
        driver.DescribeAt(Table, Table, 16, Indirect, 0);
        driver.Describe(0, 0, Table, 16, Indirect, 0);
        driver.MakeAvailable(0, 0);
    });

    [Fact]
    public void Indirect_table_in_a_circle_or_with_too_many_pieces()
    {
        ShouldNeedReset(driver =>
        {
            driver.DescribeAt(Table, Data, 1, Write | Next, 0);
            driver.Describe(0, 0, Table, 32, Indirect, 0);
            driver.MakeAvailable(0, 0);
        });
        ShouldNeedReset(driver =>
        {
            for (int index = 0; index <= VirtioRequest.MaximumSegments; index++)
                driver.DescribeAt(Table + (ulong)index * 16, Data, 1, Write | Next, index + 1);
            driver.Describe(0, 0, Table, (uint)(VirtioRequest.MaximumSegments + 2) * 16, Indirect, 0);
            driver.MakeAvailable(0, 0);
        });
    }

    [Fact]
    public void Indirect_table_that_was_not_negotiated()
    {
        VirtioEntropy device = Own(new VirtioEntropy(Ram.Device, Clock));
        TestDriver driver = NewDriver("pci", device);
        driver.Start(TestDriver.Version1);
        driver.DescribeAt(Table, Data, 4, Write, 0);
        driver.Describe(0, 0, Table, 16, Indirect, 0);
        driver.MakeAvailable(0, 0);
        driver.Notify(0);
        driver.Status.Should().Be(0x4F);
    }

    [Fact]
    public void Disk_request_without_a_header_or_a_place_for_its_result()
    {
        (ulong, uint, bool)[][] requests = [[(Data, 15, false), (Data, 1, true)], [(Data, 16, false)], [(Data, 64, true)]];
        foreach ((ulong, uint, bool)[] buffers in requests)
        {
            TestDriver driver = NewDriver("mmio", NewDisk(isReadOnly: true));
            driver.Start(TestDriver.Version1);
            driver.Submit(0, buffers);
            driver.Notify(0);
            driver.Status.Should().Be(0x4F);
        }
    }

    /// <summary>Random descriptors, rings and registers against a disk: bounded time and memory, nothing outside the guest's memory, and a
    /// reset always brings it back.</summary>
    [Fact]
    public void Random_queues_never_crash_hang_or_keep_the_device_broken()
    {
        int seed = Environment.TickCount;
        try
        {
            Random random = new(seed);
            TestDriver[] drivers = [NewDriver("pci", NewDisk()), NewDriver("mmio", Own(new VirtioEntropy(Ram.Device, Clock)))];
            for (int round = 0; round < 3000; round++)
            {
                TestDriver driver = drivers[round & 1];
                ulong features = random.Next(2) == 0 ? TestDriver.Indirect : 0;
                driver.Start(TestDriver.Version1 | features | (random.Next(2) == 0 ? TestDriver.EventIndex : 0));
                Scramble(random, driver);
                for (int notification = 0; notification < 3; notification++)
                    driver.Notify(random.Next(3));
                Clock.Advance(1000);
            }
            GC.GetTotalMemory(false).Should().BeLessThan(512 << 20);
            foreach (TestDriver driver in drivers)
            {
                driver.Start(TestDriver.Version1);
                driver.Status.Should().Be(15);
            }
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {seed}", e);
        }
    }

    private void Scramble(Random random, TestDriver driver)
    {
        ulong[] places =
        [
            Data, Table, TestDriver.Descriptors(0), TestDriver.Used(0), GuestRam.ReadOnlyPage, GuestRam.Size - 100, GuestRam.Size,
            ulong.MaxValue - 10, 0, (ulong)random.NextInt64(),
        ];
        uint[] lengths = [0, 1, 16, 512, 4096, 0x1_0000, 0x10_0000, uint.MaxValue, (uint)random.Next()];
        for (int index = 0; index < TestDriver.QueueSize; index++)
        {
            int flags = random.Next(8) == 0 ? random.Next(0x1_0000) : random.Next(8) == 0 ? Indirect : random.Next(4);
            int next = random.Next(12) == 0 ? random.Next(0x1_0000) : random.Next(TestDriver.QueueSize);
            uint length = lengths[random.Next(lengths.Length)];
            driver.Describe(0, index, places[random.Next(places.Length)], length, flags, next);
            driver.DescribeAt(Table + (ulong)index * 16, places[random.Next(places.Length)], length, flags & ~Indirect, next);
        }
        // Plausible disk requests too, so that not everything ends at the header.
        Ram.Write32(Data, (uint)(random.Next(3) == 0 ? random.Next(16) : random.Next(2)));
        Ram.Write64(Data + 8, (ulong)random.Next(Sectors + 2));
        if (random.Next(2) == 0)
            driver.Describe(0, 0, Data, 16, Next, 1 + random.Next(8));
        for (int count = random.Next(1, TestDriver.QueueSize); count > 0; count--)
            driver.MakeAvailable(0, random.Next(10) == 0 ? random.Next(0x1_0000) : random.Next(TestDriver.QueueSize));
        if (random.Next(16) == 0)
            Ram.Write16(TestDriver.Available(0) + 2, random.Next(0x1_0000));
    }
}
