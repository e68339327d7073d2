using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>Which page sizes are used, splitting and merging, flags across both, statistics, bounds.</summary>
public sealed class NestedPageSizeTests
{
    private static readonly ulong Host = NestedTables.FakeHost;

    public static TheoryData<string> TableFormats => NestedTables.TableFormats;

    public static TheoryData<string> AllFormats => NestedTables.AllFormats;

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Aligned_range_takes_the_largest_pages(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(NestedTables.Giga - NestedTables.Large - 0x1000, (nuint)(Host + NestedTables.Giga - NestedTables.Large - 0x1000),
            NestedTables.Large + 0x1000 + (2 * NestedTables.Giga) + NestedTables.Large + 0x2000, GuestAccess.All);

        NestedTableStatistics statistics = table.Statistics;
        statistics.GigabytePages.Should().Be(2);
        statistics.TwoMegabytePages.Should().Be(2);
        statistics.SmallPages.Should().Be(3);
        NestedWalkResult walk = table.Walk(NestedTables.Giga + 0x1234567, GuestAccess.Read);
        walk.PageSizeLog2.Should().Be(30);
        walk.Depth.Should().Be(2);
        ((ulong)walk.HostAddress).Should().Be(Host + NestedTables.Giga + 0x1234567);
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Host_alignment_limits_the_page_size(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)(Host + NestedTables.Large), NestedTables.Giga, GuestAccess.All);
        table.Statistics.TwoMegabytePages.Should().Be(512);
        table.Map(NestedTables.Giga, (nuint)(Host + 0x1000), NestedTables.Large, GuestAccess.All);
        table.Statistics.SmallPages.Should().Be(512);
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Partial_change_splits_and_its_reversal_promotes(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Giga, GuestAccess.All);
        long tablesBefore = table.Statistics.TablePages;

        table.Protect(0x5000, 0x1000, GuestAccess.Read).Should().BeTrue();
        NestedTableStatistics split = table.Statistics;
        split.Splits.Should().Be(2, "1 GiB into 2 MiB, one of those into 4 KiB");
        split.GigabytePages.Should().Be(0);
        split.TwoMegabytePages.Should().Be(511);
        split.SmallPages.Should().Be(512);
        split.TablePages.Should().Be(tablesBefore + 2);
        table.Walk(0x4000, GuestAccess.Write).Status.Should().Be(NestedWalkStatus.Granted);
        table.Walk(0x5000, GuestAccess.Write).Status.Should().Be(NestedWalkStatus.Violation);

        table.Protect(0x5000, 0x1000, GuestAccess.All);
        NestedTableStatistics merged = table.Statistics;
        merged.Promotions.Should().Be(2);
        merged.GigabytePages.Should().Be(1);
        merged.TablePages.Should().Be(tablesBefore);
        merged.RetiredTablePages.Should().Be(2);
        table.Reclaim().Should().Be(2);
        table.Statistics.RetiredTablePages.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Pages_mapped_one_by_one_merge_when_the_last_one_comes(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        for (ulong page = 0; page < 512; page++)
        {
            ulong shuffled = (page * 37) % 512;
            table.Map(shuffled << 12, (nuint)(Host + (shuffled << 12)), 0x1000, GuestAccess.All).Should().BeFalse("nothing was there");
            table.Statistics.TwoMegabytePages.Should().Be(page == 511 ? 1 : 0);
        }

        table.Statistics.SmallPages.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Flags_are_inherited_by_splits_and_united_by_merges(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Large, GuestAccess.All);
        table.Walk(0x3000, GuestAccess.Write);
        table.Protect(0x7000, 0x1000, GuestAccess.Read);
        table.Probe(0x100000, GuestAccess.Read).Dirty.Should().BeTrue("the dirty large page made dirty small ones");

        ulong[] bitmap = new ulong[8];
        table.HarvestDirty(0, NestedTables.Large, bitmap, clear: true).Should().BeTrue();
        bitmap.Should().AllSatisfy(word => word.Should().Be(ulong.MaxValue));
        table.Walk(0x9000, GuestAccess.Write);
        table.Protect(0x7000, 0x1000, GuestAccess.All);
        table.Statistics.TwoMegabytePages.Should().Be(1);
        table.Probe(0, GuestAccess.Read).Dirty.Should().BeTrue("one dirty page makes the merged page dirty");
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Dirty_logging_is_precise_and_leaves_the_neighbours_alone(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, 2 * NestedTables.Large, GuestAccess.All);
        table.Walk(0, GuestAccess.Write);
        table.SetDirtyLogging(0, NestedTables.Large, true).Should().BeTrue();
        ulong[] bitmap = new ulong[16];
        table.HarvestDirty(0, NestedTables.Large, bitmap, clear: false).Should().BeFalse();
        bitmap.Should().AllSatisfy(word => word.Should().Be(0), "logging starts clean");

        table.Walk(0x0000_5678, GuestAccess.Write);
        table.Walk(0x0004_1000, GuestAccess.Write);
        table.Walk(0x0004_2000, GuestAccess.Read);
        table.MarkDirty(0x0008_0FFF, 2);
        table.HarvestDirty(0x4000, 0x20_0000 - 0x4000, bitmap, clear: true).Should().BeTrue();
        bitmap[0].Should().Be((1UL << 1) | (1UL << 0x3D));
        bitmap[1].Should().Be(1UL << (0x7C - 64) | 1UL << (0x7D - 64));
        table.HarvestDirty(0, NestedTables.Large, bitmap, clear: true).Should().BeFalse("all were cleared");

        table.Walk(0x5000, GuestAccess.Write).Dirty.Should().BeTrue();
        table.Walk(NestedTables.Large, GuestAccess.Write);
        table.SetDirtyLogging(0, NestedTables.Large, false);
        table.Probe(0x5000, GuestAccess.Read).Dirty.Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Logged_pages_stay_small_until_logging_ends(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Large, GuestAccess.All, logDirty: true);
        table.Statistics.SmallPages.Should().Be(512);
        table.Protect(0, 0x1000, GuestAccess.Read);
        table.Protect(0, 0x1000, GuestAccess.All);
        table.Statistics.SmallPages.Should().Be(512);
        table.SetDirtyLogging(0, NestedTables.Large, false);
        table.Statistics.TwoMegabytePages.Should().Be(1);
    }

    [Theory]
    [MemberData(nameof(TableFormats))]
    public void Harvest_of_a_part_of_a_dirty_large_page_keeps_the_rest(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Giga, GuestAccess.All);
        table.Walk(0, GuestAccess.Write);
        ulong[] bitmap = new ulong[1];
        table.HarvestDirty(0x3000, 0x2000, bitmap, clear: true).Should().BeTrue();
        bitmap[0].Should().Be(3);
        table.Probe(0x2000, GuestAccess.Read).Dirty.Should().BeTrue();
        table.Probe(0x3000, GuestAccess.Read).Dirty.Should().BeFalse();
        table.Probe(0x4000, GuestAccess.Read).Dirty.Should().BeFalse();
        table.Probe(0x5000, GuestAccess.Read).Dirty.Should().BeTrue();
        table.Probe(NestedTables.Giga - 1, GuestAccess.Read).Dirty.Should().BeTrue();
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Page_without_rights_is_a_violation_and_a_hole_is_a_hole(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Large, GuestAccess.All);
        table.Protect(0, NestedTables.Large, GuestAccess.None);
        table.Walk(0x1000, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.Violation);
        table.Walk(NestedTables.Large, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.NotPresent);
        table.Protect(0x1000, 0x1000, GuestAccess.Read);
        ((ulong)table.Walk(0x1234, GuestAccess.Read).HostAddress).Should().Be(Host + 0x1234);
        table.Walk(1UL << 48, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.NotPresent);
        table.Walk(ulong.MaxValue, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.NotPresent);
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Last_page_of_the_address_width_can_be_mapped_and_not_more(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        ulong last = (1UL << 48) - 0x1000;
        table.Map(last, (nuint)Host, 0x1000, GuestAccess.All);
        ((ulong)table.Walk(last + 0xFFF, GuestAccess.Write).HostAddress).Should().Be(Host + 0xFFF);

        Action beyond = () => table.Map(last, (nuint)Host, 0x2000, GuestAccess.All);
        beyond.Should().Throw<ArgumentOutOfRangeException>().WithMessage("*48*");
        Action wrap = () => table.Unmap(0xFFFF_FFFF_FFFF_F000, 0x2000);
        wrap.Should().Throw<ArgumentOutOfRangeException>();
        Action unaligned = () => table.Unmap(0x10, 0x1000);
        unaligned.Should().Throw<ArgumentException>();
        Action writeOnly = () => table.Protect(0, 0x1000, GuestAccess.Write);
        writeOnly.Should().Throw<ArgumentException>();
        Action host = () => table.Map(0, unchecked((nuint)0x0000_FFFF_FFFF_F000), 0x1000, GuestAccess.All);
        host.Should().Throw<ArgumentOutOfRangeException>();
        Action bitmap = () => table.HarvestDirty(0, 65 * 0x1000, new ulong[1], true);
        bitmap.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Table_pages_are_bounded_and_refusal_changes_nothing()
    {
        using ExtendedPageTable table = new(tablePageLimit: 8);
        table.Map(0, (nuint)Host, NestedTables.Giga, GuestAccess.All);
        Action map = () => table.Map(NestedTables.Giga, (nuint)(Host + 0x1000), NestedTables.Giga, GuestAccess.All);
        map.Should().Throw<InsufficientMemoryException>().WithMessage("*of 8*");
        table.Walk(NestedTables.Giga, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.NotPresent);
        table.Unmap(0x1000, 0x1000);
        table.Statistics.TablePages.Should().Be(4);
        Action log = () => table.SetDirtyLogging(0, NestedTables.Giga, true);
        log.Should().Throw<InsufficientMemoryException>();
        table.Walk(0x2000, GuestAccess.Write).Status.Should().Be(NestedWalkStatus.Granted);
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Disposed_table_walks_to_nothing_and_refuses_changes(string format)
    {
        NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Giga, GuestAccess.All);
        table.Dispose();
        table.Dispose();
        table.Walk(0, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.NotPresent);
        table.Reclaim().Should().Be(0);
        Action map = () => table.Map(0, (nuint)Host, NestedTables.Giga, GuestAccess.All);
        map.Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Counters_add_up()
    {
        using ExtendedPageTable table = new();
        table.Map(0, (nuint)Host, NestedTables.Small, GuestAccess.Read);
        NestedWalkCounters counters = default;
        table.Walk(0, GuestAccess.Read, false, ref counters, out _);
        table.Walk(0, GuestAccess.Read, false, ref counters, out _);
        table.Walk(0, GuestAccess.Write, false, ref counters, out _);
        table.Walk(NestedTables.Giga, GuestAccess.Write, false, ref counters, out _);
        counters.Walks.Should().Be(4);
        counters.EntriesRead.Should().Be(4 + 4 + 4 + 2);
        counters.FlagUpdates.Should().Be(1);
        counters.Violations.Should().Be(1);
        counters.Holes.Should().Be(1);
    }
}
