using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>Short names for the tests of the second level.</summary>
internal static class NestedTables
{
    public const ulong Small = 1UL << 12;
    public const ulong Large = 1UL << 21;
    public const ulong Giga = 1UL << 30;

    /// <summary>A host address that is never touched: only walked to.</summary>
    public const ulong FakeHost = 0x7000_0000_0000;

    public static readonly string[] Formats = ["ept", "npt", "none"];

    public static TheoryData<string> AllFormats => new(Formats);

    public static TheoryData<string> TableFormats => new("ept", "npt");

    public static NestedPageTable Create(string format) => format switch
    {
        "ept" => new ExtendedPageTable(),
        "npt" => new AmdNestedPageTable(),
        _ => new FlatMap(),
    };

    public static NestedWalkResult Walk(this NestedPageTable table, ulong address, GuestAccess access, bool guestWalk = false)
    {
        NestedWalkCounters counters = default;
        bool granted = table.Walk(address, access, guestWalk, ref counters, out NestedWalkResult result);
        granted.Should().Be(result.Status == NestedWalkStatus.Granted);
        return result;
    }

    public static NestedWalkResult Probe(this NestedPageTable table, ulong address, GuestAccess access)
    {
        bool granted = table.Probe(address, access, out NestedWalkResult result);
        granted.Should().Be(result.Status == NestedWalkStatus.Granted);
        return result;
    }

    /// <summary>The table that the raw entries at the given indices lead to, root first.</summary>
    public static TablePage Follow(TablePage root, params int[] indices)
    {
        TablePage table = root;
        foreach (int index in indices)
            table = new TablePage(table[index] & 0x0000_FFFF_FFFF_F000);
        return table;
    }

    public static TablePage RootOf(NestedPageTable table) => table switch
    {
        ExtendedPageTable ept => ept.Root,
        AmdNestedPageTable npt => npt.Root,
        _ => throw new InvalidOperationException("The flat map has no table."),
    };
}
