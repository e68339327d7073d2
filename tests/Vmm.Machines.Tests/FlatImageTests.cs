namespace Vmm.Machines.Tests;

public sealed class FlatImageTests
{
    private static readonly byte[] s_code = [0xF4, 1, 2, 3];

    private readonly ArrayMemory _memory = new(4 << 20);

    [Theory]
    [InlineData(0x0, 0x0, 0x0), InlineData(0x7C00, 0x0, 0x7C00), InlineData(0x1_2345, 0x1000, 0x2345), InlineData(0xF_FFF0, 0xF000, 0xFFF0)]
    public void Image_below_1_MiB_starts_in_real_mode(int address, int selector, int offset)
    {
        EntryState state = new FlatImage(s_code, (ulong)address).Load(_memory);
        _memory.Bytes((ulong)address, 4).ToArray().Should().Equal(s_code);
        state.Cr0.Should().Be(0x10);
        state.Code.Should().Be(SegmentDescriptor.RealModeCode((ushort)selector));
        state.Data.Should().Be(SegmentDescriptor.RealModeData(0));
        state.Rip.Should().Be((ulong)offset);
    }

    [Theory]
    [InlineData(EntryMode.Protected, 0x11ul), InlineData(EntryMode.Long, 0x8000_0011ul)]
    public void Mode_and_entry_may_be_chosen(EntryMode mode, ulong cr0)
    {
        EntryState state = new FlatImage(s_code, 0x8000) { Entry = 0x8002, Mode = mode }.Load(_memory);
        state.Rip.Should().Be(0x8002);
        state.Cr0.Should().Be(cr0);
    }

    [Fact]
    public void Image_above_1_MiB_starts_in_protected_mode() =>
        new FlatImage(s_code, 0x20_0000).Load(_memory).Code.Attributes.Should().Be(0xC09B);

    [Theory]
    [InlineData(0x3F_FFFDul), InlineData(0x40_0000ul), InlineData(0xFFFF_FFFF_FFFF_FFFFul), InlineData(0x1_0000_0000ul)]
    public void Image_outside_ram_is_refused(ulong address) =>
        new FlatImage(s_code, address).Invoking(image => image.Load(_memory)).Should().Throw<ImageLoadException>().WithMessage("*no RAM*");

    [Fact]
    public void Entry_outside_ram_or_out_of_reach_is_refused()
    {
        new FlatImage(s_code, 0x1000) { Entry = 0x80_0000 }.Invoking(image => image.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*not in RAM*");
        new FlatImage(s_code, 0x20_0000) { Mode = EntryMode.Real }.Invoking(image => image.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*real mode*");
    }

    [Fact]
    public void Empty_image_is_refused()
    {
        new FlatImage(default, 0x1000).Invoking(image => image.Load(_memory)).Should().Throw<ImageLoadException>().WithMessage("*empty*");
        new KernelImage(default(ReadOnlyMemory<byte>)).Invoking(image => image.Load(_memory))
            .Should().Throw<ImageLoadException>().WithMessage("*empty*");
    }

    [Theory]
    [InlineData(1ul << 20, 1ul << 20, 0ul), InlineData(3ul << 30, 3ul << 30, 0ul), InlineData(4ul << 30, 3ul << 30, 1ul << 30)]
    public void Ram_above_3_GiB_moves_beyond_4_GiB(ulong size, ulong low, ulong high)
    {
        MemoryMap map = new(size);
        (map.Low, map.High).Should().Be((low, high));
        map.IsRam(0, low).Should().BeTrue();
        map.IsRam(0, low + 1).Should().BeFalse();
        map.IsRam(low, 1).Should().BeFalse();
        map.IsRam(MemoryMap.HighStart, high).Should().BeTrue();
        map.IsRam(MemoryMap.HighStart, high + 1).Should().BeFalse();
        map.IsRam(ulong.MaxValue, 2).Should().BeFalse();
        map.Ranges.Where(range => range.Kind == MemoryRangeKind.Usable && range.Start >= 1 << 20).Sum(range => (decimal)range.Length)
            .Should().Be(size - (1 << 20));
    }

    [Theory]
    [InlineData(0ul), InlineData(0xF_F000ul), InlineData(0x10_0001ul), InlineData(ulong.MaxValue)]
    public void Impossible_amount_of_ram_is_refused(ulong size) =>
        FluentActions.Invoking(() => new MemoryMap(size)).Should().Throw<ArgumentException>();
}
