using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>Raw entries against SDM Vol. 3C tables 29-1 to 29-6 and APM Vol. 2 figures 5-20 to 5-27, bit by bit.</summary>
public sealed class NestedEntryLayoutTests
{
    private static readonly ulong Host = NestedTables.FakeHost;
    private const ulong AddressMask = 0x0000_FFFF_FFFF_F000;

    [Fact]
    public void Ept_entries_have_the_manuals_bits()
    {
        using ExtendedPageTable table = new();
        table.Map(0x20_0000, (nuint)Host, NestedTables.Large, GuestAccess.All);
        table.Map(0x40_0000, (nuint)Host, NestedTables.Small, GuestAccess.Read);
        table.Map(0x4000_0000, (nuint)Host, NestedTables.Giga, GuestAccess.Read | GuestAccess.Execute);

        TablePage root = table.Root;
        (root.Address % 4096).Should().Be(0);
        (root[0] & ~AddressMask).Should().Be(0x7, "an EPT PML4E has R, W, X, and no memory type");
        root[1].Should().Be(0);
        TablePage pdpt = NestedTables.Follow(root, 0);
        (pdpt[0] & ~AddressMask).Should().Be(0x7);
        pdpt[1].Should().Be(Host | 0x5 | (6 << 3) | (1 << 6) | (1 << 7), "R and X, write-back, ignore PAT, large");
        TablePage directory = NestedTables.Follow(root, 0, 0);
        directory[1].Should().Be(Host | 0x7 | (6 << 3) | (1 << 6) | (1 << 7));
        NestedTables.Follow(root, 0, 0, 2)[0].Should().Be(Host | 0x1 | (6 << 3) | (1 << 6), "bit 7 is ignored here and left clear");
    }

    [Fact]
    public void Npt_entries_have_the_manuals_bits()
    {
        using AmdNestedPageTable table = new();
        table.Map(0x20_0000, (nuint)Host, NestedTables.Large, GuestAccess.All);
        table.Map(0x40_0000, (nuint)Host, NestedTables.Small, GuestAccess.Read);
        table.Map(0x4000_0000, (nuint)Host, NestedTables.Giga, GuestAccess.Read | GuestAccess.Execute);

        TablePage root = table.Root;
        (root[0] & ~AddressMask).Should().Be(0x7, "P, R/W, U/S");
        TablePage pdpt = NestedTables.Follow(root, 0);
        pdpt[1].Should().Be(Host | 0x85, "P, U/S, PS");
        NestedTables.Follow(root, 0, 0)[1].Should().Be(Host | 0x87, "P, R/W, U/S, PS");
        NestedTables.Follow(root, 0, 0, 2)[0].Should().Be(Host | 0x5 | (1UL << 63), "P, U/S, NX");
    }

    [Theory]
    [InlineData("ept", 0x100UL, 0x200UL)]
    [InlineData("npt", 0x020UL, 0x040UL)]
    public void Walks_set_accessed_everywhere_and_dirty_in_the_mapping_entry(string format, ulong accessed, ulong dirty)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Small, GuestAccess.All);
        TablePage root = NestedTables.RootOf(table);
        TablePage last = NestedTables.Follow(root, 0, 0, 0);
        ulong[] before = Flags();
        before.Should().AllSatisfy(flags => flags.Should().Be(0));

        table.Probe(0, GuestAccess.Write);
        Flags().Should().Equal(before, "a probe changes nothing");
        table.Walk(0x123, GuestAccess.Read).Dirty.Should().BeFalse();
        Flags().Should().Equal(accessed, accessed, accessed, accessed);
        table.Walk(0x123, GuestAccess.Write).Dirty.Should().BeTrue();
        Flags().Should().Equal(accessed, accessed, accessed, accessed | dirty);

        ulong[] Flags() =>
            [.. Entries().Select(entry => entry & (accessed | dirty))];
        ulong[] Entries() => [root[0], NestedTables.Follow(root, 0)[0], NestedTables.Follow(root, 0, 0)[0], last[0]];
    }

    [Theory]
    [InlineData("ept", 0x200UL)]
    [InlineData("npt", 0x040UL)]
    public void Guests_page_walk_is_a_write_to_the_second_level(string format, ulong dirty)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)Host, NestedTables.Small, GuestAccess.ReadWrite);
        table.Map(0x1000, (nuint)Host + 0x1000, NestedTables.Small, GuestAccess.Read);

        table.Walk(0x8, GuestAccess.Read, guestWalk: true).Status.Should().Be(NestedWalkStatus.Granted);
        (NestedTables.Follow(NestedTables.RootOf(table), 0, 0, 0)[0] & dirty).Should().Be(dirty);
        table.Walk(0x1008, GuestAccess.Read, guestWalk: true).Status.Should().Be(NestedWalkStatus.Violation);
        table.Walk(0x1008, GuestAccess.Read).Status.Should().Be(NestedWalkStatus.Granted);
    }

    public static TheoryData<string, int, ulong, bool> PlantedEpt => new()
    {
        // what, level, the low bits planted over a valid entry (with its address), misconfigured?
        { "write without read", 1, 0x32, true },
        { "write and execute without read", 1, 0x36, true },
        { "execute only", 1, 0x34, false },
        { "memory type 2", 1, 0x17, true },
        { "memory type 3", 1, 0x1F, true },
        { "memory type 7", 1, 0x3F, true },
        { "uncacheable", 1, 0x07, false },
        { "write-combining", 1, 0x0F, false },
        { "write-through", 1, 0x27, false },
        { "write-protected", 1, 0x2F, false },
        { "address bit 48", 1, 0x37 | (1UL << 48), true },
        { "address bit 51", 1, 0x37 | (1UL << 51), true },
        { "ignored bit 52", 1, 0x37 | (1UL << 52), false },
        { "ignored bit 63", 1, 0x37 | (1UL << 63), false },
        { "table with a memory type", 2, 0x37, true },
        { "table with bit 6", 2, 0x47, true },
        { "table with write without read", 2, 0x02, true },
        { "table, bit 11 ignored", 2, 0x807, false },
        { "large with address bit 12", 2, 0x10B7, true },
        { "large with address bit 20", 2, 0x1000B7, true },
        { "large with bad memory type", 2, 0x97, true },
        { "table with a memory type", 3, 0x37, true },
        { "gigabyte with address bit 29", 3, 0x200000B7, true },
        { "root with bit 7", 4, 0x87, true },
        { "root with bit 3", 4, 0x0F, true },
    };

    [Theory]
    [MemberData(nameof(PlantedEpt))]
    public void Planted_ept_entry_is_judged_as_the_manual_says(string what, int level, ulong bits, bool misconfigured)
    {
        using ExtendedPageTable table = new();
        NestedWalkStatus readable = (bits & 1) != 0 ? NestedWalkStatus.Granted : NestedWalkStatus.Violation;
        Plant(table, table.Root, level, bits, 0xFFF).Should().Be(misconfigured ? NestedWalkStatus.Misconfiguration : readable, what);
    }

    [Fact]
    public void Execute_only_is_a_misconfiguration_without_the_capability()
    {
        using ExtendedPageTable table = new(executeOnly: false);
        Plant(table, table.Root, 1, 0x34, 0xFFF).Should().Be(NestedWalkStatus.Misconfiguration);
        Action map = () => table.Map(0, (nuint)Host, NestedTables.Small, GuestAccess.Execute);
        map.Should().Throw<NotSupportedException>();
    }

    public static TheoryData<string, int, ulong, string> PlantedNpt => new()
    {
        { "not a user page", 1, 0x3, nameof(NestedWalkStatus.Violation) },
        { "table not a user table", 3, 0x3, nameof(NestedWalkStatus.Violation) },
        { "address bit 48", 1, 0x7 | (1UL << 48), nameof(NestedWalkStatus.Misconfiguration) },
        { "address bit 51", 2, 0x7 | (1UL << 51), nameof(NestedWalkStatus.Misconfiguration) },
        { "available bit 52", 1, 0x7 | (1UL << 52), nameof(NestedWalkStatus.Granted) },
        { "PTE's PAT", 1, 0x87, nameof(NestedWalkStatus.Granted) },
        { "large with address bit 13", 2, 0x2087, nameof(NestedWalkStatus.Misconfiguration) },
        { "large with address bit 20", 2, 0x100087, nameof(NestedWalkStatus.Misconfiguration) },
        { "gigabyte with address bit 29", 3, 0x20000087, nameof(NestedWalkStatus.Misconfiguration) },
        { "root with PS", 4, 0x87, nameof(NestedWalkStatus.Misconfiguration) },
        { "not present", 2, 0x6, nameof(NestedWalkStatus.NotPresent) },
    };

    [Theory]
    [MemberData(nameof(PlantedNpt))]
    public void Planted_npt_entry_is_judged_as_the_manual_says(string what, int level, ulong bits, string expected)
    {
        using AmdNestedPageTable table = new();
        Plant(table, table.Root, level, bits, 0xFFF).ToString().Should().Be(expected, what);
    }

    /// <summary>Puts bits over the entry of a level that maps or leads to address 0, keeps its address, and reads through it.</summary>
    private static NestedWalkStatus Plant(NestedPageTable table, TablePage root, int level, ulong bits, ulong lowMask)
    {
        table.Map(0, (nuint)Host, NestedTables.Small, GuestAccess.All);
        TablePage page = NestedTables.Follow(root, new int[4 - level]);
        bool large = level is 2 or 3 && (bits & 0x80) != 0;
        ulong address = large ? Host : page[0] & AddressMask & ~lowMask;
        page[0] = address | bits;
        NestedWalkCounters counters = default;
        table.Walk(0, GuestAccess.Read, false, ref counters, out NestedWalkResult result);
        counters.Misconfigurations.Should().Be(result.Status == NestedWalkStatus.Misconfiguration ? 1 : 0);
        if (result.Status == NestedWalkStatus.Misconfiguration)
            result.Depth.Should().Be((byte)(5 - level));
        return result.Status;
    }
}
