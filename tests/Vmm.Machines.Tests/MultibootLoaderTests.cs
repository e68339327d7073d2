namespace Vmm.Machines.Tests;

/// <summary>Oracle: Multiboot Specification 0.6.96.</summary>
public sealed class MultibootLoaderTests
{
    private readonly ArrayMemory _memory = new(64 << 20, dirty: true);

    private EntryState Load(byte[] image, string commandLine = "", params BootModule[] modules) =>
        new KernelImage(image) { CommandLine = commandLine, Modules = modules }.Load(_memory);

    [Fact]
    public void Processor_is_in_flat_protected_mode_with_the_magic_in_eax()
    {
        EntryState state = Load(Images.Multiboot());
        state.Rip.Should().Be(0x10_0060);
        state.Rax.Should().Be(0x2BAD_B002);
        state.Cr0.Should().Be(0x11, "protection on, paging off");
        state.Cr4.Should().Be(0);
        state.Efer.Should().Be(0);
        state.Rflags.Should().Be(2);
        state.Code.Base.Should().Be(0);
        state.Code.Limit.Should().Be(0xFFFF_FFFF);
        (state.Code.Attributes & 0xF09F).Should().Be(0xC09B, "32-bit execute/read");
        (state.Data.Attributes & 0xF09F).Should().Be(0xC093, "read/write");
    }

    [Theory]
    [InlineData(0), InlineData(0x40), InlineData(8192 - 32)]
    public void Addresses_in_the_header_place_the_file(int headerOffset)
    {
        byte[] image = Images.Multiboot(headerOffset, 0x3000);
        Load(image);
        _memory.Bytes(0x10_0000, 0x3000).SequenceEqual(image).Should().BeTrue();
    }

    [Fact]
    public void Load_end_cuts_the_file_and_cleared_end_zeroes()
    {
        byte[] image = Images.Multiboot(loadEnd: 0x10_0800, clearedEnd: 0x10_0A00);
        Load(image);
        _memory.Bytes(0x10_0000, 0x800).SequenceEqual(image.AsSpan(0, 0x800)).Should().BeTrue();
        _memory.Bytes(0x10_0800, 0x200).IndexOfAnyExcept((byte)0).Should().Be(-1);
        _memory.Bytes(0x10_0A00, 1)[0].Should().Be(0xCC, "what lies behind is left alone");
    }

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Elf_headers_place_the_image_and_the_entry_becomes_physical(bool is64)
    {
        EntryState state = Load(Images.MultibootElf(is64));
        state.Rip.Should().Be(0x10_0020);
        state.Cr0.Should().Be(0x11);
        _memory.UInt32(0x10_0000).Should().Be(0x1BAD_B002);
        _memory.Bytes(0x10_0200, 0xE00).IndexOfAnyExcept((byte)0).Should().Be(-1);
    }

    [Fact]
    public void Information_has_memory_command_line_map_and_loader_name()
    {
        EntryState state = Load(Images.Multiboot(), "one two");
        ulong information = state.Rbx;
        _memory.UInt32(information).Should().Be(0x245);
        _memory.UInt32(information + 4).Should().Be(0x9FC00 / 1024, "KiB of conventional memory");
        _memory.UInt32(information + 8).Should().Be(63 * 1024, "KiB from 1 MiB");
        _memory.Text(_memory.UInt32(information + 16)).Should().Be("one two");
        _memory.Text(_memory.UInt32(information + 64)).Should().Be("Vmm");
        ulong map = _memory.UInt32(information + 48);
        ulong end = map + _memory.UInt32(information + 44);
        List<(ulong, ulong, uint)> entries = [];
        for (; map < end; map += _memory.UInt32(map) + 4)
            entries.Add((_memory.UInt64(map + 4), _memory.UInt64(map + 12), _memory.UInt32(map + 20)));
        entries.Should().Equal((0ul, 0x9FC00ul, 1u), (0x9FC00ul, 0x400ul, 2u), (0xF0000ul, 0x10000ul, 2u), (0x100000ul, 63ul << 20, 1u));
    }

    [Fact]
    public void Modules_are_on_pages_behind_the_kernel_with_their_names()
    {
        byte[] first = [1, 2, 3];
        byte[] second = [.. Enumerable.Range(0, 5000).Select(value => (byte)value)];
        byte[] image = Images.Multiboot(clearedEnd: 0x10_5001);
        EntryState state = Load(image, "", new BootModule(first, "first"), new BootModule(second, "second"));
        _memory.UInt32(state.Rbx).Should().Be(0x24D);
        _memory.UInt32(state.Rbx + 20).Should().Be(2);
        ulong list = _memory.UInt32(state.Rbx + 24);
        (_memory.UInt32(list), _memory.UInt32(list + 4)).Should().Be((0x10_6000u, 0x10_6003u));
        _memory.Text(_memory.UInt32(list + 8)).Should().Be("first");
        (_memory.UInt32(list + 16), _memory.UInt32(list + 20)).Should().Be((0x10_7000u, 0x10_7000u + 5000));
        _memory.Text(_memory.UInt32(list + 24)).Should().Be("second");
        _memory.Bytes(0x10_7000, 5000).SequenceEqual(second).Should().BeTrue();
    }

    [Fact]
    public void Header_beyond_8_KiB_or_with_a_wrong_checksum_is_none()
    {
        KernelImage.Detect(Images.Multiboot(8192 - 8, 0x4000)).Should().Be(KernelFormat.Unknown);
        byte[] wrong = Images.Multiboot();
        wrong[0x48]++;
        KernelImage.Detect(wrong).Should().Be(KernelFormat.Unknown);
    }

    [Fact]
    public void Unknown_mandatory_feature_is_refused_and_unknown_optional_one_is_not()
    {
        this.Invoking(test => test.Load(Images.Multiboot(flags: 0x1_0013))).Should().Throw<ImageLoadException>().WithMessage("*0x10*");
        Load(Images.Multiboot(flags: 0x3_0003)).Rip.Should().Be(0x10_0060);
    }

    [Fact]
    public void Loaders_tables_give_way_to_the_image() =>
        Load(Images.Multiboot(loadAddress: 0x1000, entry: 0x1060)).GdtBase.Should().BeGreaterThanOrEqualTo(0x2000);

    [Theory]
    [InlineData(0x10_0000u, 0x20_0000u, 0u, "*reaches beyond*")]
    [InlineData(0x10_0000u, 0xFF000u, 0u, "*below its load address*")]
    [InlineData(0x10_0000u, 0u, 0x10_0100u, "*cleared area*")]
    [InlineData(0x500_0000u, 0u, 0u, "*no RAM*")]
    [InlineData(0xFFFF_F800u, 0u, 0u, "*no RAM*")]
    [InlineData(0x10_0000u, 0u, 0xFFFF_FFFFu, "*no RAM*")]
    public void Addresses_that_cannot_be_are_refused(uint load, uint loadEnd, uint clearedEnd, string message)
    {
        byte[] image = Images.Multiboot(loadAddress: load, loadEnd: loadEnd, clearedEnd: clearedEnd);
        this.Invoking(test => test.Load(image)).Should().Throw<ImageLoadException>().WithMessage(message);
    }
}
