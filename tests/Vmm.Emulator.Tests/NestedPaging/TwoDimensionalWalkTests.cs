using System.Runtime.InteropServices;
using Vmm.Emulator.NestedPaging;
using Vmm.X86.Paging;

namespace Vmm.Emulator.Tests.NestedPaging;

/// <summary>The guest's page walk through the second level, on real memory.</summary>
public sealed unsafe class TwoDimensionalWalkTests : IDisposable
{
    private const int MemorySize = 0x40_0000;
    private readonly byte* _memory = (byte*)NativeMemory.AlignedAlloc(MemorySize, 0x20_0000);

    public TwoDimensionalWalkTests()
    {
        NativeMemory.Clear(_memory, MemorySize);

        // Linear 0x0000_0000_0000_3xxx to guest-physical 0x9xxx, tables at 0x1000 to 0x4000.
        Write(0x1000, 0x2007);
        Write(0x2000, 0x3007);
        Write(0x3000, 0x4007);
        Write(0x4018, 0x9007);
        Mode = new PagingMode(1UL << 31, 0x1000, 1 << 5, 1 << 10, new PagingFeatures(40, true, true));
    }

    public static TheoryData<string> AllFormats => NestedTables.AllFormats;

    private PagingMode Mode { get; }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    [Theory]
    [InlineData("ept", 24)]
    [InlineData("npt", 24)]
    [InlineData("none", 4)]
    public void Four_levels_over_four_levels_read_24_entries(string format, int entries)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)_memory, 0xA000, GuestAccess.All);
        NestedSeam seam = new(table);

        PageWalker.Walk(Mode, ref seam, 0x3456, PageAccess.Read, out PageWalkResult first).Should().Be(PageWalkOutcome.Translated);
        NestedSeam second = new(table);
        PageWalker.Walk(Mode, ref second, 0x3456, PageAccess.Read, out PageWalkResult guest).Should().Be(PageWalkOutcome.Translated);
        guest.PhysicalAddress.Should().Be(0x9456).And.Be(first.PhysicalAddress);
        table.Walk(guest.PhysicalAddress, GuestAccess.Read, false, ref second.Counters, out NestedWalkResult host).Should().BeTrue();

        host.HostAddress.Should().Be((nuint)_memory + 0x9456);
        (second.Counters.EntriesRead + second.GuestEntriesRead).Should().Be(entries);
        Read(0x1000).Should().Be(0x2027);
        Read(0x4018).Should().Be(0x9027);
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Guest_tables_in_memory_that_refuses_writes_are_out_of_reach(string format)
    {
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)_memory, 0xA000, GuestAccess.All);
        table.Protect(0x3000, 0x1000, GuestAccess.Read);
        NestedSeam seam = new(table);

        PageWalker.Walk(Mode, ref seam, 0x3456, PageAccess.Read, out PageWalkResult result).Should().Be(PageWalkOutcome.EntryUnreachable);

        result.PhysicalAddress.Should().Be(0x3000);
        result.Level.Should().Be(2);
        seam.Last.Status.Should().Be(NestedWalkStatus.Violation);
        Read(0x1000).Should().Be(0x2007, "a walk that fails sets nothing");
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Walks_on_two_threads_beside_changes_never_miss_a_page_that_is_not_named(string format)
    {
        // A 2 MiB page whose neighbour pages are changed, split and merged all the time.
        using NestedPageTable table = NestedTables.Create(format);
        table.Map(0, (nuint)_memory, 0x20_0000, GuestAccess.All);
        table.Map(0x20_0000, (nuint)_memory + 0x20_0000, 0x20_0000, GuestAccess.All, logDirty: true);
        using CancellationTokenSource stop = new();
        long walks = 0;
        List<Exception> failures = [];
        Thread[] walkers = [.. Enumerable.Range(0, 2).Select(i =>
            new Thread(() => Interlocked.Add(ref walks, WalkUntil(table, i, failures, stop.Token))))];
        foreach (Thread walker in walkers)
            walker.Start();

        long dirtied = 0;
        ulong[] bitmap = new ulong[8];
        Random random = new(1);
        for (int i = 0; i < 3_000; i++)
        {
            ulong page = 0x10_0000 + ((ulong)random.Next(256) << 12);
            if (i % 3 == 0)
                table.Unmap(page, 0x1000);
            else
                table.Protect(page, 0x1000, GuestAccess.Read);
            table.Map(page, (nuint)_memory + (nuint)page, 0x1000, GuestAccess.All);

            // A page under logging: its flag may be set by a walker only after we cleared it, and never gets lost to a change of rights.
            table.Walk(0x30_0000, GuestAccess.Write);
            table.Protect(0x30_0000, 0x1000, GuestAccess.ReadWrite);
            table.Protect(0x30_0000, 0x1000, GuestAccess.All);
            Array.Clear(bitmap);
            dirtied += table.HarvestDirty(0x30_0000, 0x1000, bitmap, clear: true) ? 1 : 0;
        }

        stop.Cancel();
        foreach (Thread walker in walkers)
            walker.Join();
        failures.Should().BeEmpty();
        dirtied.Should().Be(3_000);
        walks.Should().BePositive();
        if (format != "none")
            table.Statistics.TwoMegabytePages.Should().Be(1, "every split was merged again");
        table.Statistics.RetiredTablePages.Should().BeLessThan(10_000);
    }

    private long WalkUntil(NestedPageTable table, int seed, List<Exception> failures, CancellationToken stop)
    {
        Random random = new(seed);
        NestedWalkCounters counters = default;
        while (!stop.IsCancellationRequested || counters.Walks == 0)
        {
            ulong address = (ulong)random.Next(0x10_0000);
            bool whole = table.Walk(address, GuestAccess.Write, false, ref counters, out NestedWalkResult result)
                && result.HostAddress == (nuint)_memory + (nuint)address;
            bool logged = table.Walk(0x20_0000 + address, GuestAccess.Write, false, ref counters, out result) && result.Dirty;
            if (whole && logged)
                continue;
            lock (failures)
                failures.Add(new InvalidOperationException($"0x{address:X}: {whole} {logged} {result.Status}."));
            break;
        }

        return counters.Walks;
    }

    private void Write(ulong address, ulong value) => *(ulong*)(_memory + address) = value;

    private ulong Read(ulong address) => *(ulong*)(_memory + address);
}
