using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>32-bit and PAE paging against SDM Vol. 3A 4.3 and 4.4.</summary>
public sealed class PageWalkerLegacyTests
{
    // Linear 0xC0DE_F123: directory index 0x303, table index 0x1EF, offset 0x123.
    private const ulong Linear = 0xC0DE_F123;
    private const ulong Pde = 0x1000 + (0x303 * 4);
    private const ulong Pte = 0x2000 + (0x1EF * 4);

    private readonly WalkBench _bench = new();

    [Fact]
    public void Small_page_uses_two_levels_of_four_byte_entries()
    {
        _bench.Legacy(0x1018);
        _bench.Memory.Write32(Pde, 0x2007);
        _bench.Memory.Write32(Pte, 0xFEDC_B007);
        _bench.Memory.Write32(Pte ^ 4, 0x1111_1111);

        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write | PageAccess.User);

        result.PhysicalAddress.Should().Be(0xFEDC_B123);
        result.PageSizeLog2.Should().Be(12);
        _bench.Memory.Read32(Pde).Should().Be(0x2027);
        _bench.Memory.Read32(Pte).Should().Be(0xFEDC_B067);
        _bench.Memory.Read32(Pte ^ 4).Should().Be(0x1111_1111, "the neighbour is not touched");
    }

    [Fact]
    public void Large_page_needs_PSE()
    {
        _bench.Memory.Write32(Pde, 0x0040_0087);
        _bench.Legacy(0x1000);
        PageWalkResult large = _bench.Walk(Linear, PageAccess.Write);
        large.PhysicalAddress.Should().Be(0x0040_0000 + (Linear & 0x3F_FFFF));
        large.PageSizeLog2.Should().Be(22);
        large.Level.Should().Be(2);
        large.Dirty.Should().BeTrue();
        _bench.Memory.Read32(Pde).Should().Be(0x0040_00E7);

        _bench.Legacy(0x1000, cr4: 0);
        _bench.Walk(Linear).Level.Should().Be(1, "without PSE bit 7 is ignored and the entry points to a table");
    }

    [Theory]
    [InlineData(40, true, 0x001F_E000u, 0xFF_0000_0000UL)]
    [InlineData(52, true, 0x001F_E000u, 0xFF_0000_0000UL)]
    [InlineData(36, true, 0x0001_E000u, 0x0F_0000_0000UL)]
    public void Page_size_extension_36_gives_high_address_bits(byte width, bool pse36, uint field, ulong high)
    {
        _bench.Features = new PagingFeatures(width, true, pse36);
        _bench.Legacy(0x1000);
        _bench.Memory.Write32(Pde, 0x0040_0087 | field);
        _bench.Walk(Linear).PhysicalAddress.Should().Be(high + 0x0040_0000 + (Linear & 0x3F_FFFF));
    }

    [Theory]
    [InlineData(40, true, 1u << 21)]
    [InlineData(36, true, 1u << 17)]
    [InlineData(32, true, 1u << 13)]
    [InlineData(40, false, 1u << 13)]
    [InlineData(40, false, 1u << 21)]
    public void Large_page_bits_beyond_the_width_are_reserved(byte width, bool pse36, uint bit)
    {
        _bench.Features = new PagingFeatures(width, true, pse36);
        _bench.Legacy(0x1000);
        _bench.Memory.Write32(Pde, 0x0040_0087 | bit);
        PageWalkResult result = _bench.Walk(Linear);
        ((uint)result.ErrorCode).Should().Be(9);
        result.Level.Should().Be(2);
    }

    [Fact]
    public void Large_page_pat_bit_is_not_reserved()
    {
        _bench.Features = new PagingFeatures(32, true, false);
        _bench.Legacy(0x1000);
        _bench.Memory.Write32(Pde, 0x0040_1087);
        _bench.Walk(Linear).Outcome.Should().Be(PageWalkOutcome.Translated);
    }

    [Fact]
    public void Thirty_two_bit_paging_has_no_execute_disable_and_SMEP_still_works()
    {
        _bench.Memory.Write32(Pde, 0x2007);
        _bench.Memory.Write32(Pte, 0x5007);
        _bench.SetMode(WalkBench.Pg, 0x1000, 0, WalkBench.Nxe);
        ((uint)_bench.Walk(0, PageAccess.Execute).ErrorCode).Should().Be(0, "I/D needs PAE entries or SMEP");
        _bench.Legacy(0x1000, cr4: WalkBench.Smep);
        ((uint)_bench.Walk(Linear, PageAccess.Execute).ErrorCode).Should().Be(0x11);
    }

    [Fact]
    public void Pae_walks_from_its_registers_and_not_from_memory()
    {
        // Linear 0xC0DE_F123: register 3, directory index 6, table index 0x1EF.
        _bench.Memory[0x1020 + 24] = 0x2001;
        _bench.Memory[0x2000 + (6 * 8)] = 0x3007;
        _bench.Memory[0x3000 + (0x1EF * 8)] = 0x8_7654_3007;
        _bench.LoadPae(0x1020 | 0x18).Should().Be(PaePointersLoad.Loaded);
        _bench.Memory[0x1020 + 24] = 0;

        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write | PageAccess.User);
        result.PhysicalAddress.Should().Be(0x8_7654_3123);
        _bench.Memory[0x2000 + (6 * 8)].Should().Be(0x3027);
        _bench.Memory[0x3000 + (0x1EF * 8)].Should().Be(0x8_7654_3067);

        PageWalkResult absent = _bench.Walk(0x4000_0000);
        ((uint)absent.ErrorCode).Should().Be(0);
        absent.Level.Should().Be(3);
    }

    [Fact]
    public void Pae_two_megabyte_page()
    {
        _bench.Memory[0x1000 + 24] = 0x2001;
        _bench.Memory[0x2000 + (6 * 8)] = 0x1_2340_0087;
        _bench.LoadPae(0x1000);
        PageWalkResult result = _bench.Walk(Linear);
        result.PhysicalAddress.Should().Be(0x1_2340_0000 + (Linear & 0x1F_FFFF));
        result.PageSizeLog2.Should().Be(21);
    }

    [Theory]
    [InlineData(1UL << 52, true)]
    [InlineData(1UL << 62, true)]
    [InlineData(1UL << 40, true)]
    [InlineData(1UL << 63, false)]
    [InlineData(1UL << 11, false)]
    public void Pae_entries_reserve_everything_above_the_width(ulong bit, bool reserved)
    {
        _bench.Memory[0x1000 + 24] = 0x2001;
        _bench.Memory[0x2000 + (6 * 8)] = 0x3007;
        _bench.Memory[0x3000 + (0x1EF * 8)] = 0x5007 | bit;
        _bench.LoadPae(0x1000);
        ((uint)_bench.Walk(Linear).ErrorCode).Should().Be(reserved ? 9u : 0u);
        _bench.Walk(Linear).Outcome.Should().Be(reserved ? PageWalkOutcome.PageFault : PageWalkOutcome.Translated);
    }

    [Theory]
    [InlineData(0x2003UL, true)]
    [InlineData(0x2005UL, true)]
    [InlineData(0x2021UL, true)]
    [InlineData(0x2101UL, true)]
    [InlineData(0x2001UL | (1UL << 40), true)]
    [InlineData(0x2001UL | (1UL << 63), true)]
    [InlineData(0x2E19UL, false)]
    [InlineData(0xFFFF_FFFF_FFFF_FFFEUL, false)]
    public void Pae_pointer_with_reserved_bit_is_refused_when_present(ulong pointer, bool refused)
    {
        _bench.Memory[0x1010] = pointer;
        _bench.LoadPae(0x1000).Should().Be(refused ? PaePointersLoad.ReservedBit : PaePointersLoad.Loaded);
        _bench.FailingAddress.Should().Be(refused ? 0x1010UL : 0);
    }

    [Fact]
    public void Pae_pointers_in_a_hole_are_out_of_reach()
    {
        _bench.Memory.RefusedPages.Add(1);
        _bench.LoadPae(0x1000).Should().Be(PaePointersLoad.EntryUnreachable);
        _bench.FailingAddress.Should().Be(0x1000);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(53)]
    public void Physical_width_out_of_range_is_refused(byte width)
    {
        Action make = () => _ = new PagingMode(0, 0, 0, 0, new PagingFeatures(width, true, true));
        make.Should().Throw<ArgumentOutOfRangeException>();
    }
}
