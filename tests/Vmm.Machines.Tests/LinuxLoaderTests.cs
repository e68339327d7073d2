using System.Buffers.Binary;

namespace Vmm.Machines.Tests;

/// <summary>Oracle: Linux's "The Linux/x86 Boot Protocol" and "Zero Page", field by field.</summary>
public sealed class LinuxLoaderTests
{
    private readonly ArrayMemory _memory = new(64 << 20, dirty: true);

    private EntryState Load(byte[] image, string commandLine = "console=ttyS0", params BootModule[] modules) =>
        new KernelImage(image) { Name = "vmlinuz", CommandLine = commandLine, Modules = modules }.Load(_memory);

    [Fact]
    public void Kernel_proper_is_at_the_preferred_address_and_entered_at_0x200()
    {
        byte[] image = Images.Linux();
        EntryState state = Load(image);
        _memory.Bytes(Images.LinuxAddress, 0x3000).SequenceEqual(image.AsSpan(4 * 512)).Should().BeTrue();
        state.Rip.Should().Be(Images.LinuxAddress + 0x200);
    }

    [Fact]
    public void No_setup_sectors_means_four()
    {
        byte[] image = Images.Linux(setupSectors: 0);
        Load(image);
        _memory.Bytes(Images.LinuxAddress, 0x3000).SequenceEqual(image.AsSpan(5 * 512)).Should().BeTrue();
    }

    [Fact]
    public void Processor_is_in_long_mode_with_the_protocols_selectors()
    {
        EntryState state = Load(Images.Linux());
        state.Cr0.Should().Be(0x8000_0011);
        state.Cr4.Should().Be(0x20);
        state.Efer.Should().Be(0x500);
        state.Rflags.Should().Be(2, "interrupts must be off");
        state.Code.Should().Be(new SegmentDescriptor(0x10, 0, 0xFFFF_FFFF, 0xA09B), "__BOOT_CS is 0x10, 64-bit, execute/read");
        state.Data.Should().Be(new SegmentDescriptor(0x18, 0, 0xFFFF_FFFF, 0xC093), "__BOOT_DS is 0x18, read/write");
        state.GdtLimit.Should().BeGreaterThanOrEqualTo(0x1F);
        _memory.UInt64(state.GdtBase + 0x10).Should().Be(0x00AF_9B00_0000_FFFF);
        _memory.UInt64(state.GdtBase + 0x18).Should().Be(0x00CF_9300_0000_FFFF);
    }

    [Fact]
    public void First_4_GiB_are_mapped_to_themselves()
    {
        EntryState state = Load(Images.Linux());
        ulong[] addresses = [0, 0x1234, 0x7FFF_FFFF, Images.LinuxAddress, state.Rsi, 0xC000_0000, 0xFFFF_FFFF];
        foreach (ulong address in addresses)
        {
            ulong fourth = _memory.UInt64(state.Cr3 + (address >> 39 & 511) * 8);
            (fourth & 0xFFF).Should().Be(3);
            ulong third = _memory.UInt64((fourth & ~0xFFFul) + (address >> 30 & 511) * 8);
            (third & 0xFFF).Should().Be(3);
            ulong second = _memory.UInt64((third & ~0xFFFul) + (address >> 21 & 511) * 8);
            (second & 0x83).Should().Be(0x83, "a writable page of 2 MiB");
            ((second & ~0x1F_FFFFul) | (address & 0x1F_FFFF)).Should().Be(address);
        }
        _memory.UInt64(state.Cr3 + 8).Should().Be(0);
    }

    [Fact]
    public void Zero_page_has_the_images_setup_header_and_zeros_before_it()
    {
        byte[] image = Images.Linux();
        ulong zeroPage = Load(image).Rsi;
        (zeroPage % 8).Should().Be(0);
        _memory.UInt32(zeroPage + 0x202).Should().Be(BinaryPrimitives.ReadUInt32LittleEndian("HdrS"u8));
        int[] kept = [0x1F1, 0x1F4, 0x1FE, 0x206, 0x211, 0x22C, 0x230, 0x234, 0x236, 0x238, 0x258, 0x260, 0x264];
        foreach (int offset in kept)
            _memory.Bytes(zeroPage + (ulong)offset, 1)[0].Should().Be(image[offset], $"field at 0x{offset:X}");
        _memory.Bytes(zeroPage, 0x1E8).IndexOfAnyExcept((byte)0).Should().Be(-1, "what the loader does not know is zero");
        _memory.Bytes(zeroPage + 0x26C, 0x2D0 - 0x26C).IndexOfAnyExcept((byte)0).Should().Be(-1, "the header ended at 0x202 + 0x6A");
    }

    [Fact]
    public void Loader_fields_are_filled_in()
    {
        ulong zeroPage = Load(Images.Linux(), "console=ttyS0 quiet").Rsi;
        _memory.Bytes(zeroPage + 0x210, 1)[0].Should().Be(0xFF, "type_of_loader: undefined loader");
        (_memory.UInt32(zeroPage + 0x1FA) & 0xFFFF).Should().Be(0xFFFF, "vid_mode: normal");
        ulong commandLine = _memory.UInt32(zeroPage + 0x228);
        _memory.Text(commandLine).Should().Be("console=ttyS0 quiet");
        _memory.UInt32(zeroPage + 0x218).Should().Be(0, "no RAM disk");
        _memory.UInt32(zeroPage + 0x21C).Should().Be(0);
    }

    [Fact]
    public void Acpi_root_pointer_is_in_the_zero_page()
    {
        ArrayMemory memory = new() { AcpiRootPointer = 0xF_0000 };
        memory.UInt64(new KernelImage(Images.Linux()).Load(memory).Rsi + 0x70).Should().Be(0xF_0000);
        _memory.UInt64(Load(Images.Linux()).Rsi + 0x70).Should().Be(0, "there is none");
    }

    [Theory]
    [InlineData(64ul << 20), InlineData(256ul << 20)]
    public void Memory_map_is_the_machines(ulong size)
    {
        ArrayMemory memory = new(size);
        ulong zeroPage = new KernelImage(Images.Linux()).Load(memory).Rsi;
        int count = memory.Bytes(zeroPage + 0x1E8, 1)[0];
        (ulong, ulong, uint)[] entries =
        [
            .. Enumerable.Range(0, count)
                .Select(index => zeroPage + 0x2D0 + (ulong)index * 20)
                .Select(at => (memory.UInt64(at), memory.UInt64(at + 8), memory.UInt32(at + 16))),
        ];
        entries.Should().Equal(
            (0ul, 0x9FC00ul, 1u), (0x9FC00ul, 0x400ul, 2u), (0xF0000ul, 0x10000ul, 2u), (0x100000ul, size - 0x100000, 1u));
    }

    [Fact]
    public void Ram_disk_is_at_the_top_of_ram_on_whole_pages()
    {
        byte[] archive = Images.Archive(5000);
        ulong zeroPage = Load(Images.Linux(), "", new BootModule(archive, "initrd")).Rsi;
        ulong address = _memory.UInt32(zeroPage + 0x218);
        _memory.UInt32(zeroPage + 0x21C).Should().Be((uint)archive.Length);
        (address % 4096).Should().Be(0);
        address.Should().Be((64ul << 20) - 8192);
        _memory.Bytes(address, archive.Length).SequenceEqual(archive).Should().BeTrue();
    }

    [Fact]
    public void Ram_disk_stays_below_initrd_addr_max()
    {
        byte[] image = Images.Linux(change: image => Images.Put32(image, 0x22C, 0x27F_FFFF));
        byte[] archive = Images.Archive();
        ulong zeroPage = Load(image, "", new BootModule(archive, "initrd")).Rsi;
        ulong address = _memory.UInt32(zeroPage + 0x218);
        (address + (ulong)archive.Length).Should().BeLessThanOrEqualTo(0x280_0000);
        address.Should().BeGreaterThan(0x27F_0000);
    }

    [Fact]
    public void Ram_disk_that_does_not_fit_above_the_kernel_is_refused()
    {
        ArrayMemory memory = new(20 << 20);
        KernelImage kernel = new(Images.Linux()) { Modules = [new BootModule(Images.Archive(2 << 20), "initrd")] };
        kernel.Invoking(image => image.Load(memory)).Should().Throw<ImageLoadException>().WithMessage("*no room*initrd*20480 KiB*");
    }

    [Theory]
    [InlineData("gzip"), InlineData("cpio"), InlineData("xz"), InlineData("zstd"), InlineData("lz4")]
    public void Ram_disk_of_a_known_kind_is_accepted(string kind)
    {
        byte[] content = kind switch
        {
            "gzip" => Images.Gzip(Images.Archive()),
            "cpio" => Images.Archive(),
            "xz" => [0xFD, .. "7zXZ"u8, 0, 1, 2, 3],
            "zstd" => [0x28, 0xB5, 0x2F, 0xFD, 1],
            _ => [0x02, 0x21, 0x4C, 0x18, 1],
        };
        ulong zeroPage = Load(Images.Linux(), "", new BootModule(content, "initrd")).Rsi;
        _memory.UInt32(zeroPage + 0x21C).Should().Be((uint)content.Length);
    }

    [Theory]
    [InlineData("empty", "*empty*"), InlineData("garbage", "*neither a cpio archive*"), InlineData("gzip", "*gzip*ends early*")]
    [InlineData("cpio", "*end before the archive does*"), InlineData("entry", "*entry at offset*damaged*")]
    public void Ram_disk_that_is_damaged_is_refused(string kind, string message)
    {
        byte[] content = kind switch
        {
            "empty" => [],
            "garbage" => "this is no archive at all"u8.ToArray(),
            "gzip" => Images.Gzip(Images.Archive(100_000))[..60],
            "cpio" => Images.Archive()[..900],
            _ => [.. Images.Archive(8)[..120], .. new byte[200]],
        };
        this.Invoking(test => test.Load(Images.Linux(), "", new BootModule(content, "my-initrd")))
            .Should().Throw<ImageLoadException>().WithMessage(message).Which.Image.Should().Be("my-initrd");
    }

    [Fact]
    public void Gzip_ram_disk_cut_anywhere_is_refused_and_padding_or_another_archive_behind_it_is_not()
    {
        byte[] content = new byte[30_000];
        new Random(5).NextBytes(content.AsSpan(0, 15_000));
        byte[] archive = Images.Gzip(content);
        for (int length = 1; length < archive.Length; length += length < 30 || length > archive.Length - 30 ? 1 : 331)
        {
            this.Invoking(test => test.Load(Images.Linux(), "", new BootModule(archive.AsMemory(0, length), "initrd")))
                .Should().Throw<ImageLoadException>($"it was cut to {length} of {archive.Length} bytes");
        }
        foreach (byte[] tail in new byte[][] { [], new byte[512], archive, Images.Archive(), [0xFD, .. "7zXZ"u8, 0, 1, 2] })
            Load(Images.Linux(), "", new BootModule((byte[])[.. archive, .. tail], "initrd"));
    }

    [Fact]
    public void Second_module_is_refused() =>
        this.Invoking(test => test.Load(Images.Linux(), "", new BootModule(Images.Archive(), "a"), new BootModule(Images.Archive(), "b")))
            .Should().Throw<ImageLoadException>().WithMessage("*2 modules*");

    [Fact]
    public void Command_line_is_limited_by_the_kernel()
    {
        Load(Images.Linux(), new string('x', 2047));
        this.Invoking(test => test.Load(Images.Linux(), new string('x', 2048)))
            .Should().Throw<ImageLoadException>().WithMessage("*2048 characters*2047*");
    }

    [Theory]
    [InlineData("a\0b"), InlineData("käse")]
    public void Command_line_must_be_ascii(string text) =>
        this.Invoking(test => test.Load(Images.Linux(), text)).Should().Throw<ImageLoadException>().WithMessage("*character U+*");

    [Theory]
    [InlineData(0x206, 0x0B, "*2.11*")]
    [InlineData(0x236, 0x7E, "*no 64-bit entry*")]
    [InlineData(0x211, 0x00, "*zImage*")]
    [InlineData(0x201, 0x10, "*header ends*")]
    [InlineData(0x25B, 0xC0, "*RAM below 4 GiB ends at 0x4000000*")]
    public void Kernel_that_cannot_be_started_is_refused(int offset, int value, string message) =>
        this.Invoking(test => test.Load(Images.Linux(change: image => image[offset] = (byte)value)))
            .Should().Throw<ImageLoadException>().WithMessage(message);

    [Fact]
    public void Truncated_kernel_is_refused() =>
        this.Invoking(test => test.Load(Images.Linux()[..^16])).Should().Throw<ImageLoadException>().WithMessage("*announces*");

    [Fact]
    public void Too_little_memory_says_how_much_is_needed()
    {
        ArrayMemory memory = new(16 << 20);
        new KernelImage(Images.Linux()).Invoking(image => image.Load(memory))
            .Should().Throw<ImageLoadException>().Which.Hint.Should().Contain("at least 19 MiB");
    }

    [Fact]
    public void Nothing_that_is_handed_over_overlaps()
    {
        byte[] archive = Images.Archive(100_000);
        EntryState state = Load(Images.Linux(), "quiet", new BootModule(archive, "initrd"));
        List<(ulong Start, ulong Length)> ranges =
        [
            (Images.LinuxAddress, Images.LinuxInitSize), (state.Rsi, 4096), (state.Cr3, 6 * 4096), (state.GdtBase, 48),
            (_memory.UInt32(state.Rsi + 0x228), 6), (_memory.UInt32(state.Rsi + 0x218), (ulong)archive.Length),
        ];
        foreach ((ulong Start, ulong Length) one in ranges)
        {
            one.Start.Should().BeGreaterThanOrEqualTo(0x1000);
            ranges.Count(other => one.Start < other.Start + other.Length && other.Start < one.Start + one.Length).Should().Be(1);
        }
    }
}
