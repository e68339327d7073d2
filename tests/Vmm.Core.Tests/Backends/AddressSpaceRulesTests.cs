using FsCheck;
using FsCheck.Fluent;
using Vmm.Testing;

namespace Vmm.Core.Tests.Backends;

/// <summary>Regions, rights and host access of the base class, against a model that knows one page at a time.</summary>
public sealed class AddressSpaceRulesTests
{
    private const ulong Page = 4096;
    private const int Pages = 24;

    [Fact]
    public void Regions_agree_with_a_page_by_page_model_under_any_sequence_of_changes() => Prop.ForAll<int>(seed =>
    {
        Random random = new(seed);
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ISecondLevelAddressTranslation space = partition.Memory;
        GuestMemory[] blocks = [partition.AllocateMemory(Pages * Page), partition.AllocateMemory(Pages * Page)];
        (GuestMemory? Memory, ulong Offset, GuestAccess Access)[] model = new (GuestMemory?, ulong, GuestAccess)[Pages];
        for (int step = 0; step < 40; step++)
        {
            int first = random.Next(Pages);
            int count = random.Next(1, Pages - first + 1);
            ulong address = (ulong)first * Page;
            ulong length = (ulong)count * Page;
            GuestAccess access = new[] { GuestAccess.Read, GuestAccess.ReadWrite, GuestAccess.ReadExecute, GuestAccess.All }[random.Next(4)];
            switch (random.Next(4))
            {
                case 0:
                    space.Unmap(address, length);
                    model.AsSpan(first, count).Clear();
                    break;
                case 1:
                    bool whole = model.AsSpan(first, count).ToArray().All(page => page.Memory is not null);
                    Refuses(() => space.Protect(address, length, access)).Should().Be(!whole);
                    for (int i = first; whole && i < first + count; i++)
                        model[i].Access = access;
                    break;
                default:
                    bool replace = random.Next(2) == 0;
                    int source = random.Next(Pages - count + 1);
                    GuestMemory block = blocks[random.Next(2)];
                    bool free = model.AsSpan(first, count).ToArray().All(page => page.Memory is null);
                    Refuses(() => space.Map(address, block, (ulong)source * Page, length, access, replace)).Should().Be(!free && !replace);
                    for (int i = 0; (free || replace) && i < count; i++)
                        model[first + i] = (block, (ulong)(source + i) * Page, access);
                    break;
            }
            Check(space, model);
        }
        return true;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Host_access_agrees_with_the_blocks_across_regions_and_refuses_holes_whole()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        GuestMemory low = partition.AllocateMemory(2 * Page);
        GuestMemory high = partition.AllocateMemory(2 * Page);
        partition.Memory.Map(0x1000, low, 0, 2 * Page, GuestAccess.All);
        partition.Memory.Map(0x3000, high, Page, Page, GuestAccess.Read);
        byte[] data = [1, 2, 3, 4, 5, 6];
        partition.Memory.Write(0x2FFD, data);
        low.GetSpan(2 * Page - 3, 3).ToArray().Should().Equal(1, 2, 3);
        high.GetSpan(Page, 3).ToArray().Should().Equal(4, 5, 6);
        byte[] back = new byte[6];
        partition.Memory.Read(0x2FFD, back);
        back.Should().Equal(data);
        partition.Memory.TryGetSpan(0x2FFD, 6, false, out _).Should().BeFalse();
        partition.Memory.TryGetSpan(0x2FFD, 3, false, out _).Should().BeTrue();

        Action hole = () => partition.Memory.Write(0x3FFE, data);
        hole.Should().Throw<ArgumentException>().WithMessage("*0x4000*");
        high.GetSpan(2 * Page - 2, 2).ToArray().Should().Equal([0, 0], "nothing was copied");
        Action wrap = () => partition.Memory.Read(ulong.MaxValue, back);
        wrap.Should().Throw<ArgumentException>();
    }

    [Theory]
    [InlineData(1, 0xFFUL)]
    [InlineData(2, 0xFFFFUL)]
    [InlineData(4, 0xFFFF_FFFFUL)]
    [InlineData(8, ulong.MaxValue)]
    public void CompareExchange_exchanges_only_its_size_and_only_on_equality(int size, ulong mask)
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        GuestMemory memory = partition.AllocateMemory(Page);
        partition.Memory.Map(0, memory, 0, Page, GuestAccess.ReadWrite);
        memory.GetSpan(0, 24).Fill(0xCC);
        partition.Memory.CompareExchange(8, size, 0, 0x1122_3344_5566_7788).Should().Be(0xCCCC_CCCC_CCCC_CCCC & mask);
        memory.GetSpan(0, 24).ToArray().Should().OnlyContain(value => value == 0xCC);
        partition.Memory.CompareExchange(8, size, 0xCCCC_CCCC_CCCC_CCCC, 0x1122_3344_5566_7788).Should().Be(0xCCCC_CCCC_CCCC_CCCC & mask);
        (BitConverter.ToUInt64(memory.GetSpan(8, 8)) & mask).Should().Be(0x1122_3344_5566_7788 & mask);
        memory.GetSpan(8 + (ulong)size, 8).ToArray().Should().OnlyContain(value => value == 0xCC);
        Action misaligned = () => partition.Memory.CompareExchange(9, size, 0, 0);
        if (size > 1)
            misaligned.Should().Throw<ArgumentException>();
        Action odd = () => partition.Memory.CompareExchange(0, 3, 0, 0);
        odd.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Mapping_refuses_what_cannot_be_and_names_it()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        ISecondLevelAddressTranslation space = partition.Memory;
        GuestMemory memory = partition.AllocateMemory(2 * Page);
        ulong end = 1UL << space.AddressBits;
        space.Invoking(s => s.Map(0x800, memory, 0, Page, GuestAccess.All)).Should().Throw<ArgumentException>().WithMessage("*not page-aligned*");
        space.Invoking(s => s.Map(0, memory, 0, 0, GuestAccess.All)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(0, memory, 0, 0x800, GuestAccess.All)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(0, memory, 0x800, Page, GuestAccess.All)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(0, memory, Page, 2 * Page, GuestAccess.All)).Should().Throw<ArgumentException>().WithMessage("*0x2000*");
        space.Invoking(s => s.Map(0, memory, ulong.MaxValue - 0xFFF, 2 * Page, GuestAccess.All)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(end - Page, memory, 0, 2 * Page, GuestAccess.All)).Should().Throw<ArgumentException>().WithMessage($"*{space.AddressBits} bits*");
        space.Invoking(s => s.Map(0xFFFF_FFFF_FFFF_F000, memory, 0, Page, GuestAccess.All)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(0, memory, 0, Page, GuestAccess.Write)).Should().Throw<ArgumentException>().WithMessage("*read*");
        space.Invoking(s => s.Map(0, memory, 0, Page, GuestAccess.None)).Should().Throw<ArgumentException>();
        space.Invoking(s => s.Map(0, memory, 0, Page, GuestAccess.Execute)).Should().Throw<NotSupportedException>().WithMessage("*execute-only*");
        space.Invoking(s => s.TrackDirty(0, Page, true)).Should().Throw<NotSupportedException>().WithMessage("*dirty-tracking*");
        space.Regions.Should().BeEmpty();
        space.Map(end - Page, memory, 0, Page, GuestAccess.All);
    }

    [Fact]
    public void Memory_lives_while_it_is_mapped_although_its_owner_disposed_it()
    {
        using ScriptedPartition partition = new ScriptedHypervisor().Create();
        GuestMemory memory = partition.AllocateMemory(2 * Page);
        partition.Memory.Map(0, memory, 0, Page, GuestAccess.ReadWrite);
        partition.Memory.Map(0x8000, memory, Page, Page, GuestAccess.ReadWrite);
        memory.Dispose();
        partition.Memory.Write(0x8000, [7]);
        partition.Memory.Unmap(0, Page);
        partition.Memory.Write(0x8000, [8]);
        memory.IsClosed.Should().BeFalse();
        partition.Memory.Unmap(0x8000, Page);
        memory.IsClosed.Should().BeTrue();
        partition.Memory.Invoking(s => s.Map(0, memory, 0, Page, GuestAccess.All)).Should().Throw<ObjectDisposedException>();
    }

    [Fact]
    public void Disposed_partition_gives_its_memory_back()
    {
        ScriptedPartition partition = new ScriptedHypervisor().Create();
        GuestMemory memory = partition.AllocateMemory(Page);
        partition.Memory.Map(0, memory, 0, Page, GuestAccess.All);
        memory.Dispose();
        partition.Dispose();
        memory.IsClosed.Should().BeTrue();
        partition.Memory.Invoking(s => s.Read(0, new byte[1])).Should().Throw<ObjectDisposedException>();
    }

    private static bool Refuses(Action action)
    {
        try
        {
            action();
            return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private static void Check(ISecondLevelAddressTranslation space, (GuestMemory? Memory, ulong Offset, GuestAccess Access)[] model)
    {
        (GuestMemory? Memory, ulong Offset, GuestAccess Access)[] seen = new (GuestMemory?, ulong, GuestAccess)[Pages];
        MappedRegion? before = null;
        foreach (MappedRegion region in space.Regions)
        {
            for (ulong at = 0; at < region.Length; at += Page)
            {
                ref (GuestMemory? Memory, ulong Offset, GuestAccess Access) page = ref seen[(region.Address + at) / Page];
                page.Memory.Should().BeNull("regions do not overlap");
                page = (region.Memory, region.Offset + at, region.Access);
            }
            if (before is { } left)
            {
                left.Address.Should().BeLessThan(region.Address);
                bool continues = left.Address + left.Length == region.Address && left.Access == region.Access && left.Memory == region.Memory
                    && left.Offset + left.Length == region.Offset;
                continues.Should().BeFalse("neighbours that continue each other are one");
            }
            before = region;
        }
        seen.Should().Equal(model);
    }
}
