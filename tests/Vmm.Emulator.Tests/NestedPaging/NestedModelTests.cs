using FsCheck;
using FsCheck.Fluent;
using Vmm.Emulator.NestedPaging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>Random changes against a model that says of every page: the last change that named it wins.</summary>
public sealed class NestedModelTests
{
    private const ulong WindowPages = 2048;

    // The window lies across a 1 GiB boundary, so that its changes meet three levels.
    private const ulong WindowStart = NestedTables.Giga - (WindowPages / 2 * NestedTables.Small);

    public static TheoryData<string> AllFormats => NestedTables.AllFormats;

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Random_changes_of_small_ranges_match_the_model(string format) =>
        Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), seed => CheckWindow(format, new Random(seed))).Check(
            Config.QuickThrowOnFailure.WithMaxTest(120).WithReplay(3, 5));

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Random_changes_of_huge_ranges_match_the_model(string format) =>
        Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), seed => CheckHuge(format, new Random(seed))).Check(
            Config.QuickThrowOnFailure.WithMaxTest(150).WithReplay(7, 11));

    private static bool CheckWindow(string format, Random random)
    {
        using NestedPageTable table = NestedTables.Create(format);
        List<NestedModelStep> steps = [];
        for (int i = 0; i < 24; i++)
        {
            ulong first = (ulong)random.Next((int)WindowPages);
            ulong count = 1 + (ulong)random.Next(random.Next(3) == 0 ? (int)(WindowPages - first) : 8);
            if (random.Next(3) == 0)
            {
                first &= ~511UL;
                count = 512 * (1 + (ulong)random.Next((int)((WindowPages - first) / 512)));
            }

            count = Math.Min(count, WindowPages - first);
            NestedModelStep step = NestedModelStep.Random(random, format, WindowStart + (first << 12), count << 12);
            step.Apply(table);
            steps.Add(step);
            if (random.Next(4) == 0)
                table.Reclaim();
        }

        NestedModelPage[] model = new NestedModelPage[WindowPages];
        for (ulong page = 0; page < WindowPages; page++)
            model[page] = NestedModelStep.Replay(steps, WindowStart + (page << 12));
        for (ulong page = 0; page < WindowPages; page++)
        {
            NestedWalkResult probe = CheckPage(table, WindowStart + (page << 12), model[page]);
            if (format != "none" && probe.Status == NestedWalkStatus.Granted)
                probe.PageSizeLog2.Should().Be(IsUniform(model, page & ~511UL) ? (byte)21 : (byte)12, "pages are as large as can be");
        }

        long expected = model.LongCount(page => page.Mapped);
        NestedTableStatistics statistics = table.Statistics;
        (statistics.SmallPages + (512 * statistics.TwoMegabytePages) + (512 * 512 * statistics.GigabytePages)).Should().Be(expected);
        table.Unmap(0, 1UL << 40);
        NestedTableStatistics empty = table.Statistics;
        (empty.SmallPages | empty.TwoMegabytePages | empty.GigabytePages).Should().Be(0);
        empty.TablePages.Should().Be(format == "none" ? 0 : 1);
        return true;
    }

    private static bool CheckHuge(string format, Random random)
    {
        using NestedPageTable table = NestedTables.Create(format);
        List<NestedModelStep> steps = [];
        for (int i = 0; i < 16; i++)
        {
            ulong first = (ulong)random.Next(4) * NestedTables.Giga;
            ulong length = (1 + (ulong)random.Next(4)) * NestedTables.Giga;
            if (random.Next(2) == 0)
                first += (ulong)random.Next(512) << 21;
            if (random.Next(2) == 0)
                length -= (ulong)random.Next(512) << 21;
            if (random.Next(3) == 0)
                first += (ulong)random.Next(1024) << 12;
            if (random.Next(3) == 0)
                length -= (ulong)random.Next(512) << 12;
            if (random.Next(3) == 0)
                length = 1 + (ulong)random.Next(3) << 12;
            NestedModelStep step = NestedModelStep.Random(random, format, first, length, huge: true);
            step.Apply(table);
            steps.Add(step);
        }

        // Every edge, both sides, and some pages between.
        List<ulong> pages = [];
        foreach (NestedModelStep step in steps)
            pages.AddRange([step.Address, step.Address - 0x1000, step.Address + step.Length, step.Address + step.Length - 0x1000]);
        for (int i = 0; i < 300; i++)
            pages.Add((ulong)random.NextInt64(0, (long)(9 * NestedTables.Giga)) & ~0xFFFUL);
        foreach (ulong page in pages.Where(page => page < 1UL << 47))
            CheckPage(table, page, NestedModelStep.Replay(steps, page));
        return true;
    }

    private static NestedWalkResult CheckPage(NestedPageTable table, ulong address, NestedModelPage page)
    {
        NestedWalkResult probe = default;
        foreach (GuestAccess access in new[] { GuestAccess.Read, GuestAccess.Write, GuestAccess.Execute })
        {
            probe = table.Probe(address | 0xABC, access);
            NestedWalkStatus expected = !page.Mapped ? NestedWalkStatus.NotPresent
                : (page.Access & access) != 0 ? NestedWalkStatus.Granted : NestedWalkStatus.Violation;
            if (probe.Status != expected)
                probe.Status.Should().Be(expected, "{0} at {1:X} of {2}", access, address, table.Name);
            if (expected == NestedWalkStatus.Granted && ((ulong)probe.HostAddress != page.Host + 0xABC || probe.Rights != page.Access))
                ((ulong)probe.HostAddress, probe.Rights).Should().Be((page.Host + 0xABC, page.Access), "at {0:X}", address);
        }

        return table.Probe(address, page.Access & GuestAccess.Read);
    }

    private static bool IsUniform(NestedModelPage[] model, ulong first)
    {
        for (ulong i = 0; i < 512; i++)
        {
            NestedModelPage page = model[first + i];
            if (!page.Mapped || page.Logged || page.Access != model[first].Access || page.Host != model[first].Host + (i << 12))
                return false;
        }

        return model[first].Host % NestedTables.Large == 0;
    }
}
