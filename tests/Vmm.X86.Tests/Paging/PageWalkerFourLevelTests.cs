using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>4-level and 5-level paging against SDM Vol. 3A 4.5 to 4.8; every number is worked out by hand.</summary>
public sealed class PageWalkerFourLevelTests
{
    private const ulong Table = 0x67; // P, R/W, U/S, A, D
    private const ulong NoExecute = 1UL << 63;

    // Linear 0x0000_7ABC_DEF1_2345: PML4 index 0xF5, PDPT 0xF3, PD 0xF7, PT 0x112, offset 0x345.
    private const ulong Linear = 0x0000_7ABC_DEF1_2345;

    private readonly WalkBench _bench = new();

    private void Install(ulong pml4e, ulong pdpte, ulong pde, ulong pte)
    {
        _bench.Memory[0x1000 + (0xF5 * 8)] = pml4e;
        _bench.Memory[0x2000 + (0xF3 * 8)] = pdpte;
        _bench.Memory[0x3000 + (0x0F7 * 8)] = pde;
        _bench.Memory[0x4000 + (0x112 * 8)] = pte;
    }

    private void InstallTables(ulong pte) => Install(0x2000 | Table, 0x3000 | Table, 0x4000 | Table, pte);

    [Fact]
    public void Small_page_translates_to_frame_and_offset()
    {
        _bench.FourLevel(0x1000 | 0xFFF);
        InstallTables(0xAB_CDEF_1000 | Table);

        PageWalkResult result = _bench.Walk(Linear);

        result.Outcome.Should().Be(PageWalkOutcome.Translated);
        result.PhysicalAddress.Should().Be(0xAB_CDEF_1345);
        result.PageSizeLog2.Should().Be(12);
        result.Level.Should().Be(1);
        result.Dirty.Should().BeTrue();
        result.Rights.Should().Be(PageRights.All);
    }

    [Fact]
    public void Two_megabyte_page_takes_21_offset_bits_and_ignores_pat()
    {
        _bench.FourLevel(0x1000);
        Install(0x2000 | Table, 0x3000 | Table, 0x12_3460_0000 | (1 << 12) | 0x80 | Table, 0);

        PageWalkResult result = _bench.Walk(Linear);

        result.PhysicalAddress.Should().Be(0x12_3460_0000 + (Linear & 0x1F_FFFF));
        result.PageSizeLog2.Should().Be(21);
        result.Level.Should().Be(2);
    }

    [Fact]
    public void Gigabyte_page_takes_30_offset_bits()
    {
        _bench.FourLevel(0x1000);
        Install(0x2000 | Table, 0x10_4000_0000 | 0x80 | Table, 0, 0);

        PageWalkResult result = _bench.Walk(Linear);

        result.PhysicalAddress.Should().Be(0x10_4000_0000 + (Linear & 0x3FFF_FFFF));
        result.PageSizeLog2.Should().Be(30);
        result.Level.Should().Be(3);
    }

    [Fact]
    public void Five_levels_start_at_the_pml5()
    {
        // Linear bits 56:48 = 0x1A5.
        _bench.SetMode(WalkBench.Pg | WalkBench.Wp, 0x9000, WalkBench.Pae | WalkBench.La57, WalkBench.Lma | WalkBench.Nxe);
        _bench.Memory[0x9000 + (0x1A5 * 8)] = 0x1000 | Table;
        InstallTables(0x5000 | Table);

        _bench.Walk((0x1A5UL << 48) | Linear).PhysicalAddress.Should().Be(0x5345);
        _bench.Walk(Linear).Level.Should().Be(5);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(3)]
    [InlineData(2)]
    [InlineData(1)]
    public void Absent_entry_faults_with_P_clear_at_its_level(int level)
    {
        _bench.FourLevel(0x1000);
        ulong[] entries = [0x5000 | Table, 0x4000 | Table, 0x3000 | Table, 0x2000 | Table];
        entries[level - 1] &= ~1UL;
        Install(entries[3], entries[2], entries[1], entries[0]);

        PageWalkResult read = _bench.Walk(Linear);
        read.Outcome.Should().Be(PageWalkOutcome.PageFault);
        ((uint)read.ErrorCode).Should().Be(0);
        read.Level.Should().Be((byte)level);
        ((uint)_bench.Walk(Linear, PageAccess.Write | PageAccess.User).ErrorCode).Should().Be(6);
        ((uint)_bench.Walk(Linear, PageAccess.Execute | PageAccess.User).ErrorCode).Should().Be(0x14);
    }

    [Fact]
    public void Absent_entry_has_no_reserved_bits()
    {
        _bench.FourLevel(0x1000);
        InstallTables(0x7FFF_FFFF_FFFF_FFFE);

        ((uint)_bench.Walk(Linear).ErrorCode).Should().Be(0);
    }

    public static TheoryData<int, ulong, bool> ReservedBits => new()
    {
        // level, extra bits, reserved? with MAXPHYADDR 40 and EFER.NXE = 1
        { 4, 0x80, true },
        { 4, 1UL << 8, false },
        { 4, 1UL << 40, true },
        { 4, 1UL << 51, true },
        { 4, 1UL << 52, false },
        { 4, 1UL << 62, false },
        { 4, NoExecute, false },
        { 3, 1UL << 40, true },
        { 3, 1UL << 8, false },
        { 3, 0x80 | (1UL << 13), true },
        { 3, 0x80 | (1UL << 29), true },
        { 3, 0x80 | (1UL << 12), false },
        { 3, 0x80 | (1UL << 51), true },
        { 2, 0x80 | (1UL << 13), true },
        { 2, 0x80 | (1UL << 20), true },
        { 2, 0x80 | (1UL << 12), false },
        { 2, 1UL << 45, true },
        { 1, 0x80, false },
        { 1, 1UL << 40, true },
        { 1, 1UL << 39, false },
        { 1, 1UL << 59, false },
    };

    [Theory]
    [MemberData(nameof(ReservedBits))]
    public void Reserved_bit_faults_with_P_and_RSVD(int level, ulong extra, bool reserved)
    {
        _bench.FourLevel(0x1000);
        ulong[] entries = [0x5000 | Table, 0x4000 | Table, 0x3000 | Table, 0x2000 | Table];
        if ((extra & 0x80) != 0 && level is 2 or 3)
            entries[level - 1] = Table;
        entries[level - 1] |= extra;
        Install(entries[3], entries[2], entries[1], entries[0]);

        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write | PageAccess.User);

        if (reserved)
        {
            result.Outcome.Should().Be(PageWalkOutcome.PageFault);
            ((uint)result.ErrorCode).Should().Be(0xF);
            result.Level.Should().Be((byte)level);
        }
        else
        {
            result.Outcome.Should().Be(PageWalkOutcome.Translated);
        }
    }

    [Fact]
    public void Execute_disable_bit_is_reserved_without_NXE()
    {
        _bench.FourLevel(0x1000, efer: 0);
        InstallTables(0x5000 | Table | NoExecute);

        ((uint)_bench.Walk(Linear).ErrorCode).Should().Be(9);
        ((uint)_bench.Walk(Linear, PageAccess.Execute).ErrorCode).Should().Be(9, "without NXE and SMEP the I/D flag stays clear");
    }

    [Fact]
    public void Gigabyte_page_is_reserved_where_the_processor_lacks_it()
    {
        _bench.Features = new PagingFeatures(40, false, true);
        _bench.FourLevel(0x1000);
        Install(0x2000 | Table, 0x4000_0000 | 0x80 | Table, 0, 0);

        ((uint)_bench.Walk(Linear).ErrorCode).Should().Be(9);
    }

    [Fact]
    public void Rights_are_the_meet_of_all_levels()
    {
        _bench.FourLevel(0x1000);
        Install(0x2000 | 0x27, 0x3000 | 0x25, 0x4000 | 0x27, 0x5000 | 0x67);
        ((uint)_bench.Walk(Linear, PageAccess.Write).ErrorCode).Should().Be(3);
        _bench.Walk(Linear, PageAccess.Write).Level.Should().Be(3, "the PDPTE is the one without R/W");

        Install(0x2000 | 0x27, 0x3000 | 0x27, 0x4000 | 0x23, 0x5000 | 0x67);
        ((uint)_bench.Walk(Linear, PageAccess.User).ErrorCode).Should().Be(5);
        _bench.Walk(Linear, PageAccess.User).Level.Should().Be(2);

        Install(0x2000 | 0x27 | NoExecute, 0x3000 | 0x27, 0x4000 | 0x27, 0x5000 | 0x67);
        ((uint)_bench.Walk(Linear, PageAccess.Execute | PageAccess.User).ErrorCode).Should().Be(0x15);
        _bench.Walk(Linear).Rights.Should().Be(
            PageRights.SupervisorRead | PageRights.SupervisorWrite | PageRights.UserRead | PageRights.UserWrite);
    }

    [Fact]
    public void Write_protect_clear_lets_the_supervisor_write_read_only_pages()
    {
        InstallTables(0x5000 | 0x25);
        _bench.FourLevel(0x1000, cr0: 0);

        _bench.Walk(Linear, PageAccess.Write).Outcome.Should().Be(PageWalkOutcome.Translated);
        _bench.Memory[0x4000 + (0x112 * 8)].Should().Be(0x5065, "the write sets D even on a read-only page");
        ((uint)_bench.Walk(Linear, PageAccess.Write | PageAccess.User).ErrorCode).Should().Be(7);
    }

    [Fact]
    public void Smep_refuses_supervisor_fetches_from_user_pages_only()
    {
        InstallTables(0x5000 | Table);
        _bench.FourLevel(0x1000, cr4: WalkBench.Smep, efer: 0);
        ((uint)_bench.Walk(Linear, PageAccess.Execute).ErrorCode).Should().Be(0x11);
        _bench.Walk(Linear, PageAccess.Execute | PageAccess.User).Outcome.Should().Be(PageWalkOutcome.Translated);

        InstallTables(0x5000 | Table & ~4UL);
        _bench.Walk(Linear, PageAccess.Execute).Outcome.Should().Be(PageWalkOutcome.Translated);
    }

    [Fact]
    public void Smap_refuses_supervisor_data_accesses_to_user_pages_unless_overridden()
    {
        InstallTables(0x5000 | Table);
        _bench.FourLevel(0x1000, cr4: WalkBench.Smap);

        ((uint)_bench.Walk(Linear).ErrorCode).Should().Be(1);
        ((uint)_bench.Walk(Linear, PageAccess.Write).ErrorCode).Should().Be(3);
        _bench.Walk(Linear, PageAccess.Write | PageAccess.SmapOverride).Outcome.Should().Be(PageWalkOutcome.Translated);
        _bench.Walk(Linear, PageAccess.Execute).Outcome.Should().Be(PageWalkOutcome.Translated, "SMAP is about data");
        PageWalkResult user = _bench.Walk(Linear, PageAccess.User);
        user.Rights.Should().Be(PageRights.UserRead | PageRights.UserWrite | PageRights.UserExecute | PageRights.SupervisorExecute);
        user.UserPage.Should().BeTrue();
    }

    [Fact]
    public void Global_needs_the_flag_and_PGE()
    {
        InstallTables(0x5000 | Table | 0x100);
        _bench.FourLevel(0x1000);
        _bench.Walk(Linear).Global.Should().BeFalse();
        _bench.FourLevel(0x1000, cr4: WalkBench.Pge);
        _bench.Walk(Linear).Global.Should().BeTrue();
    }

    [Fact]
    public void Paging_off_is_identity()
    {
        _bench.SetMode(0, 0x1000, 0, 0);
        PageWalkResult result = _bench.Walk(0x1_8765_4321, PageAccess.Write);
        result.Outcome.Should().Be(PageWalkOutcome.Translated);
        result.PhysicalAddress.Should().Be(0x8765_4321);
        result.Rights.Should().Be(PageRights.All);
        result.Dirty.Should().BeTrue();
    }
}
