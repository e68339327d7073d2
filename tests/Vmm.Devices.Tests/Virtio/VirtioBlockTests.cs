namespace Vmm.Devices.Tests;

public sealed class VirtioBlockTests : VirtioTestBase
{
    private const ulong Header = 0x10_0000;
    private const ulong Data = 0x11_0000;
    private const ulong Result = 0x10_1000;
    private const ulong Flush = 1ul << 9;
    private const ulong ConfigurableCache = 1ul << 11;
    private const ulong WriteZeroes = 1ul << 14;

    private byte Perform(TestDriver driver, uint operation, ulong sector, params (ulong Address, uint Length, bool Writable)[] data)
    {
        Ram.Write32(Header, operation);
        Ram.Write32(Header + 4, 0);
        Ram.Write64(Header + 8, sector);
        Ram.Write(Result, 0xEE);
        driver.Submit(0, [(Header, 16, false), .. data, (Result, 1, true)]);
        driver.Notify(0);
        driver.TakeUsed(0).Should().NotBeNull("a request is served at once");
        return Ram.Read(Result, 1)[0];
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Device_says_what_it_is(string transport)
    {
        TestDriver driver = NewDriver(transport, NewDisk());
        const ulong Expected = TestDriver.Version1 | Flush | WriteZeroes;
        (driver.ReadFeatures() & (Expected | 1ul << 5)).Should().Be(Expected);
        driver.ReadConfiguration(0, 4).Should().Be(Sectors);
        driver.ReadConfiguration(4, 4).Should().Be(0);
        driver.ReadConfiguration(0, 8).Should().Be(Sectors);
        driver.ReadConfiguration(20, 4).Should().Be(512);
        driver.ReadConfiguration(0xE00, 4).Should().Be(0, "there is nothing behind the configuration");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void Sectors_are_read_and_written_through_scattered_buffers(string transport)
    {
        TestDriver driver = NewDriver(transport, NewDisk());
        driver.Start(TestDriver.Version1 | Flush);
        Perform(driver, 0, 5, (Data, 100, true), (Data + 0x3000, 900, true), (Data + 0x8000, 24, true)).Should().Be(0);
        byte[] read = [.. Ram.Read(Data, 100), .. Ram.Read(Data + 0x3000, 900), .. Ram.Read(Data + 0x8000, 24)];
        read.Should().Equal(Content[(5 * 512)..(7 * 512)]);
        driver.InterruptPending.Should().BeTrue();
        driver.AcknowledgeInterrupt();
        driver.InterruptPending.Should().BeFalse();

        byte[] written = [.. Enumerable.Range(0, 512).Select(value => (byte)value)];
        Ram.Write(Data, written);
        Perform(driver, 1, 127, (Data, 512, false)).Should().Be(0);
        Perform(driver, 4, 0).Should().Be(0);
        TakeContent().Should().Equal([.. Content[..(127 * 512)], .. written]);
    }

    [Fact]
    public void Header_may_come_in_pieces()
    {
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1);
        Ram.Write64(Header, 0);
        Ram.Write64(Header + 8, 3);
        driver.Submit(0, (Header, 3, false), (Header + 3, 13, false), (Data, 513, true));
        driver.Notify(0);
        driver.TakeUsed(0).Should().Be((0u, 513u));
        Ram.Read(Data, 512).Should().Equal(Content[(3 * 512)..(4 * 512)]);
        Ram.Read(Data + 512, 1).Should().Equal(0);
    }

    [Theory]
    [InlineData(0u, 128ul, 512u), InlineData(0u, 127ul, 1024u), InlineData(0u, 0ul, 100u), InlineData(1u, 128ul, 512u)]
    [InlineData(0u, ulong.MaxValue, 512u), InlineData(1u, 1ul << 55, 512u), InlineData(1u, 0ul, 511u)]
    public void Range_outside_the_disk_or_of_part_sectors_is_an_error_and_moves_nothing(uint operation, ulong sector, uint length)
    {
        TestDriver driver = NewDriver("pci", NewDisk());
        driver.Start(TestDriver.Version1);
        Perform(driver, operation, sector, (Data, length, operation == 0)).Should().Be(1);
        Ram.Read(Data, 512).Should().OnlyContain(value => value == 0);
        TakeContent().Should().Equal(Content);
    }

    [Theory]
    [InlineData(0u, true), InlineData(1u, false)]
    public void Buffer_that_is_no_memory_is_an_error(uint operation, bool writable)
    {
        TestDriver driver = NewDriver("pci", NewDisk());
        driver.Start(TestDriver.Version1);
        Perform(driver, operation, 0, (GuestRam.Size - 256, 512, writable)).Should().Be(1);
        Perform(driver, operation, 0, (ulong.MaxValue - 100, 512, writable)).Should().Be(1);
        driver.Status.Should().Be(15, "the queue itself was in order");
    }

    [Fact]
    public void Memory_that_the_guest_may_not_write_is_not_written_for_it()
    {
        TestDriver driver = NewDriver("pci", NewDisk());
        driver.Start(TestDriver.Version1);
        Perform(driver, 0, 0, (GuestRam.ReadOnlyPage, 512, true)).Should().Be(1);
        Ram.Read(GuestRam.ReadOnlyPage, 512).Should().OnlyContain(value => value == 0);
    }

    [Fact]
    public void Read_only_disk_says_so_and_refuses_writes()
    {
        TestDriver driver = NewDriver("mmio", NewDisk(isReadOnly: true));
        (driver.ReadFeatures() & (1ul << 5 | WriteZeroes)).Should().Be(1ul << 5);
        driver.Start(TestDriver.Version1 | 1ul << 5 | Flush);
        Perform(driver, 1, 0, (Data, 512, false)).Should().Be(1);
        Perform(driver, 4, 0).Should().Be(0);
        Perform(driver, 0, 0, (Data, 512, true)).Should().Be(0);
        TakeContent().Should().Equal(Content);
    }

    [Fact]
    public void Disk_says_its_identity()
    {
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1);
        Perform(driver, 8, 0, (Data, 20, true)).Should().Be(0);
        Ram.Read(Data, 20).Should().Equal([.. "serial-7"u8, .. new byte[12]]);
    }

    [Fact]
    public void Zeroes_are_written_where_asked()
    {
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1 | WriteZeroes);
        Ram.Write64(Data, 10);
        Ram.Write32(Data + 8, 100);
        Ram.Write32(Data + 12, 1);
        Perform(driver, 13, 0, (Data, 16, false)).Should().Be(0);
        Ram.Write32(Data + 8, 119);
        Perform(driver, 13, 0, (Data, 16, false)).Should().Be(1, "that leaves the disk");
        Ram.Write32(Data + 8, 1);
        Ram.Write32(Data + 12, 2);
        Perform(driver, 13, 0, (Data, 16, false)).Should().Be(2, "the flag is not known");
        TakeContent().Should().Equal([.. Content[..(10 * 512)], .. new byte[100 * 512], .. Content[(110 * 512)..]]);
    }

    [Theory]
    [InlineData(2u), InlineData(11u), InlineData(0xFFFF_FFFFu)]
    public void Unknown_operation_is_unsupported(uint operation)
    {
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1);
        Perform(driver, operation, 0, (Data, 512, true)).Should().Be(2);
    }

    [Fact]
    public void Disk_in_use_cannot_be_opened_again_but_read_only_ones_can()
    {
        using DiskImage first = DiskImage.Open(DiskPath, true);
        using (DiskImage second = DiskImage.Open(DiskPath, true))
            second.Length.Should().Be(Sectors * 512);
        ((Action)(() => DiskImage.Open(DiskPath, false))).Should().Throw<IOException>();
        first.Dispose();
        using DiskImage writer = DiskImage.Open(DiskPath, false);
        ((Action)(() => DiskImage.Open(DiskPath, true))).Should().Throw<IOException>();
    }

    [Theory]
    [InlineData(0), InlineData(511), InlineData(513)]
    public void File_of_part_sectors_is_no_disk(int length)
    {
        File.WriteAllBytes(DiskPath, new byte[length]);
        ((Action)(() => DiskImage.Open(DiskPath, true))).Should().Throw<InvalidDataException>().WithMessage("*multiple of 512*");
    }

    [Fact]
    public void File_that_became_shorter_is_an_error_of_the_disk()
    {
        if (!OperatingSystem.IsLinux())
            return;
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1);
        using (System.Diagnostics.Process truncate = System.Diagnostics.Process.Start("truncate", ["-s", "1000", DiskPath]))
            truncate.WaitForExit();
        Perform(driver, 0, 1, (Data, 512, true)).Should().Be(1);
        Perform(driver, 0, 0, (Data, 512, true)).Should().Be(0);
    }

    [Fact]
    public void Cache_is_on_after_reset_and_can_be_switched_off_by_who_negotiated_it()
    {
        TestDriver driver = NewDriver("pci", NewDisk());
        driver.Start(TestDriver.Version1 | Flush);
        driver.WriteConfiguration(32, 1, 0);
        driver.ReadConfiguration(32, 1).Should().Be(1);
        driver.Start(TestDriver.Version1 | Flush | ConfigurableCache);
        driver.WriteConfiguration(32, 1, 0);
        driver.ReadConfiguration(32, 1).Should().Be(0);
        Perform(driver, 1, 0, (Data, 512, false)).Should().Be(0);
        driver.Status = 0;
        driver.ReadConfiguration(32, 1).Should().Be(1);
    }

    [Fact]
    public void More_work_than_a_slice_goes_on_in_the_clocks_callbacks()
    {
        TestDriver driver = NewDriver("mmio", NewDisk());
        driver.Start(TestDriver.Version1);
        Ram.Write64(Header, 4);
        driver.Describe(0, 0, Header, 16, 1, 1);
        driver.Describe(0, 1, Result, 1, 2, 0);
        for (int request = 0; request < 12; request++)
            driver.MakeAvailable(0, 0);
        driver.Notify(0);
        int served = 0;
        while (driver.TakeUsed(0) is not null)
            served++;
        served.Should().BeInRange(1, 11, "flushes are dear");
        Clock.HasArmedTimers.Should().BeTrue("a waiting guest can still be woken");
        Clock.Advance(1);
        while (driver.TakeUsed(0) is not null)
            served++;
        served.Should().Be(12);
        Clock.HasArmedTimers.Should().BeFalse();
    }
}
