namespace Vmm.Machines.Tests;

/// <summary>Oracle: System V ABI (ELF) and Xen's "x86/HVM direct boot ABI".</summary>
public sealed class ElfAndPvhLoaderTests
{
    private static readonly byte[] s_code = [.. Enumerable.Range(0, 300).Select(value => (byte)(value * 5))];

    private readonly ArrayMemory _memory = new(16 << 20, dirty: true);

    private static byte[] Simple(bool is64) =>
        Images.Elf(is64, 0x20_0010, [(0x20_0000, 0x20_0000, s_code, 0x1000), (0x30_0000, 0x30_0000, [], 0x100)]);

    [Theory]
    [InlineData(false), InlineData(true)]
    public void Segments_are_copied_and_the_rest_is_zeroed(bool is64)
    {
        new ElfImage(Simple(is64)).Load(_memory).Rip.Should().Be(0x20_0010);
        _memory.Bytes(0x20_0000, 300).SequenceEqual(s_code).Should().BeTrue();
        _memory.Bytes(0x20_0000 + 300, 0x1000 - 300).IndexOfAnyExcept((byte)0).Should().Be(-1);
        _memory.Bytes(0x30_0000, 0x100).IndexOfAnyExcept((byte)0).Should().Be(-1);
        _memory.Bytes(0x30_0100, 1)[0].Should().Be(0xCC);
    }

    [Fact]
    public void Class_decides_the_mode()
    {
        EntryState narrow = new ElfImage(Simple(false)).Load(_memory);
        narrow.Cr0.Should().Be(0x11);
        narrow.Code.Attributes.Should().Be(0xC09B);
        EntryState wide = new ElfImage(Simple(true)).Load(_memory);
        wide.Cr0.Should().Be(0x8000_0011);
        wide.Efer.Should().Be(0x500);
        wide.Code.Attributes.Should().Be(0xA09B);
        _memory.Map.IsRam(wide.Rsp - 0x4000, 0x4000).Should().BeTrue();
        (wide.Rsp % 16).Should().Be(0);
    }

    [Fact]
    public void Entry_is_found_through_its_segment()
    {
        byte[] image = Images.Elf(true, 0xFFFF_FFFF_8100_0020, [(0x40_0000, 0xFFFF_FFFF_8100_0000, s_code, 300)]);
        new ElfImage(image).Load(_memory).Rip.Should().Be(0x40_0020);
    }

    [Fact]
    public void Loaders_tables_give_way_to_segments()
    {
        byte[] image = Images.Elf(true, 0x1000, [(0x1000, 0x1000, s_code, 0x9_E000)]);
        EntryState state = new ElfImage(image).Load(_memory);
        state.Cr3.Should().BeGreaterThanOrEqualTo(0x10_0000);
        _memory.Bytes(0x1000, 300).SequenceEqual(s_code).Should().BeTrue();
    }

    [Theory]
    [InlineData(4, 3, "*class is 3*")]
    [InlineData(5, 2, "*not little-endian*")]
    [InlineData(16, 1, "*type is 1*")]
    [InlineData(18, 40, "*machine 40*")]
    [InlineData(54, 10, "*10 bytes long instead of 56*")]
    [InlineData(56, 0, "*0 program headers*")]
    [InlineData(57, 0x40, "*reaches beyond*")]
    [InlineData(39, 0xFF, "*reaches beyond*")]
    [InlineData(31, 0x80, "*in none of its segments*")]
    [InlineData(64 + 15, 0xFF, "*reaches beyond*")]
    [InlineData(64 + 39, 0xFF, "*in the file for*")]
    [InlineData(64 + 47, 0xFF, "*no RAM*")]
    [InlineData(64 + 31, 0xFF, "*no RAM*")]
    [InlineData(64 + 56 + 26, 0x20, "*overlaps segment 1*")]
    public void Damaged_header_is_refused(int offset, int value, string message)
    {
        byte[] image = Simple(true);
        image[offset] = (byte)value;
        new ElfImage(image) { Name = "my.elf" }.Invoking(elf => elf.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage(message).Which.Image.Should().Be("my.elf");
    }

    [Fact]
    public void Plain_elf_given_as_a_kernel_says_how_to_start_it() =>
        new KernelImage(Simple(true)).Invoking(kernel => kernel.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*neither a PVH note nor*plain ELF*");

    [Theory]
    [InlineData(true), InlineData(false)]
    public void Pvh_note_starts_a_32_bit_entry_with_the_start_information(bool is64)
    {
        byte[] image = Images.Elf(is64, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0040);
        KernelImage.Detect(image).Should().Be(KernelFormat.Pvh);
        byte[] module = [9, 8, 7];
        EntryState state = new KernelImage(image) { CommandLine = "hello pvh", Modules = [new BootModule(module, "disk")] }.Load(_memory);
        state.Rip.Should().Be(0x20_0040);
        state.Cr0.Should().Be(0x11);
        state.Cr4.Should().Be(0);
        state.Efer.Should().Be(0);
        state.Rflags.Should().Be(2);
        (state.Code.Base, state.Code.Limit, state.Code.Attributes).Should().Be((0ul, 0xFFFF_FFFFu, 0xC09Bu));
        (state.Data.Base, state.Data.Limit, state.Data.Attributes).Should().Be((0ul, 0xFFFF_FFFFu, 0xC093u));
        (state.Task.Base, state.Task.Limit, state.Task.Attributes).Should().Be((0ul, 0x67u, 0x8Bu));

        ulong start = state.Rbx;
        _memory.UInt32(start).Should().Be(0x336E_C578, "magic");
        _memory.UInt32(start + 4).Should().Be(1, "version");
        _memory.UInt32(start + 8).Should().Be(0, "flags");
        _memory.UInt32(start + 12).Should().Be(1, "modules");
        ulong list = _memory.UInt64(start + 16);
        ulong address = _memory.UInt64(list);
        _memory.Bytes(address, 3).ToArray().Should().Equal(module);
        (address % 4096).Should().Be(0);
        _memory.UInt64(list + 8).Should().Be(3);
        _memory.Text(_memory.UInt64(list + 16)).Should().Be("disk");
        _memory.UInt64(list + 24).Should().Be(0);
        _memory.Text(_memory.UInt64(start + 24)).Should().Be("hello pvh");
        _memory.UInt64(start + 32).Should().Be(0, "no RSDP");
        ulong map = _memory.UInt64(start + 40);
        uint count = _memory.UInt32(start + 48);
        count.Should().Be(4);
        (_memory.UInt64(map + 72), _memory.UInt64(map + 80), _memory.UInt32(map + 88), _memory.UInt32(map + 92))
            .Should().Be((0x10_0000ul, 15ul << 20, 1u, 0u));
    }

    [Fact]
    public void Acpi_root_pointer_is_in_the_start_information()
    {
        ArrayMemory memory = new() { AcpiRootPointer = 0xF_0000 };
        byte[] image = Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0040);
        memory.UInt64(new KernelImage(image).Load(memory).Rbx + 32).Should().Be(0xF_0000);
    }

    [Fact]
    public void Pvh_entry_outside_ram_is_refused()
    {
        byte[] image = Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x1_0020_0040);
        new KernelImage(image).Invoking(kernel => kernel.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*PVH entry 0x100200040*");
    }

    [Fact]
    public void Empty_module_is_refused()
    {
        byte[] image = Images.Elf(true, 0x20_0000, [(0x20_0000, 0x20_0000, s_code, 0x1000)], pvhEntry: 0x20_0040);
        new KernelImage(image) { Modules = [new BootModule(default, "nothing")] }.Invoking(kernel => kernel.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*module nothing is empty*");
    }
}
