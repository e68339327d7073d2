using Vmm.X86.Paging;

namespace Vmm.X86.Tests.Paging;

/// <summary>Accessed and dirty flags (SDM Vol. 3A 4.8), interference by other processors, and entries out of reach.</summary>
public sealed class PageWalkerFlagsTests
{
    private const ulong Linear = 0x1234; // indices 0, 0, 0, 1
    private const ulong Pml4e = 0x1000;
    private const ulong Pdpte = 0x2000;
    private const ulong Pde = 0x3000;
    private const ulong Pte = 0x4008;

    private readonly WalkBench _bench = new();

    public PageWalkerFlagsTests()
    {
        _bench.FourLevel(0x1000);
        _bench.Memory[Pml4e] = 0x2007;
        _bench.Memory[Pdpte] = 0x3007;
        _bench.Memory[Pde] = 0x4007;
        _bench.Memory[Pte] = 0x5007;
    }

    [Fact]
    public void Read_sets_accessed_everywhere_and_dirty_nowhere()
    {
        PageWalkResult result = _bench.Walk(Linear);

        result.Dirty.Should().BeFalse();
        _bench.Memory[Pml4e].Should().Be(0x2027);
        _bench.Memory[Pdpte].Should().Be(0x3027);
        _bench.Memory[Pde].Should().Be(0x4027);
        _bench.Memory[Pte].Should().Be(0x5027);
    }

    [Fact]
    public void Write_sets_dirty_in_the_mapping_entry_only()
    {
        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write);

        result.Dirty.Should().BeTrue();
        _bench.Memory[Pde].Should().Be(0x4027);
        _bench.Memory[Pte].Should().Be(0x5067);
        int exchanges = _bench.Memory.Exchanges;
        _bench.Walk(Linear, PageAccess.Write);
        _bench.Memory.Exchanges.Should().Be(exchanges, "set flags are not set again");
    }

    [Fact]
    public void Refused_access_sets_nothing()
    {
        _bench.Memory[Pte] = 0x5005;
        _bench.Walk(Linear, PageAccess.Write).Outcome.Should().Be(PageWalkOutcome.PageFault);
        _bench.Memory[Pml4e].Should().Be(0x2007);
        _bench.Memory[Pte].Should().Be(0x5005);
    }

    [Fact]
    public void Probe_sets_nothing_and_agrees()
    {
        PageWalkResult probe = _bench.Probe(Linear, PageAccess.Write);
        probe.PhysicalAddress.Should().Be(0x5234);
        probe.Dirty.Should().BeFalse();
        _bench.Memory.Exchanges.Should().Be(0);
        _bench.Memory[Pte].Should().Be(0x5007);
    }

    [Fact]
    public void Entry_remapped_under_the_walk_is_walked_again()
    {
        _bench.Memory.BeforeExchange = address =>
        {
            if (address == Pte && (_bench.Memory[Pte] & ~0xFFFUL) == 0x5000)
                _bench.Memory[Pte] = 0x6007;
        };

        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write);

        result.PhysicalAddress.Should().Be(0x6234);
        _bench.Memory[Pte].Should().Be(0x6067);
    }

    [Fact]
    public void Entry_cleared_under_the_walk_faults_and_stays_clear()
    {
        _bench.Memory.BeforeExchange = address =>
        {
            if (address == Pte)
                _bench.Memory[Pte] = 0;
        };

        PageWalkResult result = _bench.Walk(Linear, PageAccess.Write);

        result.Outcome.Should().Be(PageWalkOutcome.PageFault);
        ((uint)result.ErrorCode).Should().Be(2);
        _bench.Memory[Pte].Should().Be(0, "a flag set in a cleared entry would corrupt what the guest keeps there");
    }

    [Fact]
    public void Flag_set_by_another_processor_is_not_a_conflict()
    {
        _bench.Memory.BeforeExchange = address => _bench.Memory[address] |= 0x20;
        _bench.Walk(Linear, PageAccess.Write).PhysicalAddress.Should().Be(0x5234);
        _bench.Memory[Pte].Should().Be(0x5067);
    }

    [Theory]
    [InlineData(0x0400UL)]
    [InlineData(0x1000UL)]
    public void Entry_rewritten_without_end_does_not_hang_the_walk(ulong flip)
    {
        _bench.Memory.BeforeExchange = address =>
        {
            if (address == Pte)
                _bench.Memory[Pte] ^= flip;
        };

        _bench.Walk(Linear, PageAccess.Write).Outcome.Should().Be(PageWalkOutcome.Translated);
        _bench.Memory.Exchanges.Should().BeLessThan(20_000);
    }

    [Theory]
    [InlineData(1UL, 4, Pml4e)]
    [InlineData(2UL, 3, Pdpte)]
    [InlineData(3UL, 2, Pde)]
    [InlineData(4UL, 1, Pte)]
    public void Entry_in_a_hole_is_not_a_page_fault(ulong page, int level, ulong address)
    {
        _bench.Memory.RefusedPages.Add(page);

        PageWalkResult result = _bench.Walk(Linear);

        result.Outcome.Should().Be(PageWalkOutcome.EntryUnreachable);
        result.PhysicalAddress.Should().Be(address);
        result.Level.Should().Be((byte)level);
    }

    [Fact]
    public void Entry_that_refuses_its_flag_is_out_of_reach()
    {
        _bench.Memory.ReadOnlyPages.Add(3);
        PageWalkResult result = _bench.Walk(Linear);
        result.Outcome.Should().Be(PageWalkOutcome.EntryUnreachable);
        result.PhysicalAddress.Should().Be(Pde);
        _bench.Probe(Linear).Outcome.Should().Be(PageWalkOutcome.Translated);
    }
}
