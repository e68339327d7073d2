using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Conformance.Suites;

/// <summary>The map of guest-physical memory, seen from the host.</summary>
internal static class MemoryCases
{
    private const ulong Block = 0x4000_0000;

    public static ConformanceCase[] All =>
    [
        new("memory.map_arguments", "Misaligned, empty, too long and too high mappings are refused, the last with the width in the message",
            "contract 3: Map; contract 7", MapArguments),
        new("memory.rights_arguments", "Write without read and no rights at all are refused", "contract 3: Rights", RightsArguments),
        new("memory.overlap_refused", "An overlapping mapping is refused and changes nothing", "contract 3: overlap fails unless replaced",
            OverlapRefused),
        new("memory.replace", "A replacing mapping takes the place of what was there, and only there", "contract 3: replaced explicitly",
            Replace),
        new("memory.unmap_inside_and_across", "Unmap cuts inside and across mappings and tolerates holes", "contract 3: any page range",
            UnmapInsideAndAcross),
        new("memory.protect_needs_mapped", "Protect changes any range of mapped pages and refuses holes", "contract 3: Protect",
            ProtectNeedsMapped),
        new("memory.regions_merged", "Neighbours with equal rights and continuous memory are one region", "contract 3: Regions",
            RegionsMerged),
        new("memory.host_access", "The host reads and writes across mappings and is refused at holes before anything is copied",
            "contract 3: Host access", HostAccess),
        new("memory.compare_exchange", "Compare-exchange works in four sizes, tells what it found, and refuses misalignment",
            "contract 3: CompareExchange", CompareExchange),
        new("memory.spans", "A span is the memory itself, inside one block only", "contract 3: TryGetSpan", Spans),
        new("memory.alias", "One block mapped twice is one memory", "contract 3: Map(gpa, memory, offset)", Alias),
        new("memory.translate_physical", "Translation of a physical address tells rights, holes and refusals", "contract 3: Translate",
            TranslatePhysical),
        new("memory.translate_linear", "Translation of a linear address follows the guest's tables and rights, and sets no bits",
            "SDM Vol. 3A 4.5, 4.6; contract 3", TranslateLinear),
        new("memory.translate_page_size", "Translation tells page size and failing level", "SDM Vol. 3A 4.5; contract 3", TranslatePageSize)
        {
            Requires = [Capability.TranslationPageSize],
        },
        new("memory.top_of_width", "The last page below the address width can be mapped and reached", "contract 3: address width",
            TopOfWidth),
        new("memory.above_4g", "Memory above 4 GiB is reached by a 64-bit guest", "SDM Vol. 3A 4.5", Above4G),
    ];

    private static (ISecondLevelAddressTranslation Memory, GuestMemory Block) Empty(ConformanceContext c, ulong length = 0x8000)
    {
        IPartition partition = c.CreatePartition();
        return (partition.Memory, partition.AllocateMemory(length));
    }

    private static void MapArguments(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        ulong end = 1UL << memory.AddressBits;
        string width = memory.AddressBits.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Verify.Throws<ArgumentException>(() => memory.Map(0x800, block, 0, 0x1000, GuestAccess.All), "Address 0x800");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0x10, 0x1000, GuestAccess.All), "Offset 0x10");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0, 0x1234, GuestAccess.All), "Length 0x1234");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0, 0, GuestAccess.All), "Length 0");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, block.Length - 0x1000, 0x2000, GuestAccess.All),
            "Past the end of the block");
        Verify.Throws<ArgumentException>(() => memory.Map(end, block, 0, 0x1000, GuestAccess.All), "At the end of the width", width);
        Verify.Throws<ArgumentException>(() => memory.Map(end - 0x1000, block, 0, 0x2000, GuestAccess.All), "Across the end of the width",
            width);
        Verify.Throws<ArgumentException>(() => memory.Map(ulong.MaxValue - 0xFFF, block, 0, 0x1000, GuestAccess.All),
            "The last page of 64 bits", width);
        Verify.Throws<ArgumentNullException>(() => memory.Map(0, null!, 0, 0x1000, GuestAccess.All), "No block");
        Verify.Throws<ArgumentException>(() => memory.Unmap(0x10, 0x1000), "Unmap at 0x10");
        Verify.Throws<ArgumentException>(() => memory.Unmap(0, 0), "Unmap of nothing");
        Verify.Equal(memory.Regions.Count, 0, "Regions after the refusals");
        block.Dispose();
        Verify.Throws<ObjectDisposedException>(() => memory.Map(0, block, 0, 0x1000, GuestAccess.All), "A disposed block");
    }

    private static void RightsArguments(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0, 0x1000, GuestAccess.Write), "Write alone");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0, 0x1000, GuestAccess.Write | GuestAccess.Execute),
            "Write and execute");
        Verify.Throws<ArgumentException>(() => memory.Map(0, block, 0, 0x1000, GuestAccess.None), "No rights");
        memory.Map(0, block, 0, 0x1000, GuestAccess.Read);
        Verify.Throws<ArgumentException>(() => memory.Protect(0, 0x1000, GuestAccess.Write), "Protect with write alone");
        Verify.Equal(memory.Regions[0].Access, GuestAccess.Read, "Rights after the refusals");
        block.Dispose();
    }

    private static void OverlapRefused(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        memory.Map(Block, block, 0, 0x3000, GuestAccess.All);
        Verify.Throws<ArgumentException>(() => memory.Map(Block + 0x2000, block, 0x4000, 0x2000, GuestAccess.All),
            "A mapping over the last page");
        Verify.Throws<ArgumentException>(() => memory.Map(Block - 0x1000, block, 0x4000, 0x2000, GuestAccess.All),
            "A mapping over the first page");
        Verify.Throws<ArgumentException>(() => memory.Map(Block + 0x1000, block, 0x4000, 0x1000, GuestAccess.All),
            "A mapping in the middle");
        Verify.Equal(memory.Regions.Count, 1, "Regions");
        Verify.Equal(memory.Regions[0], new MappedRegion(Block, 0x3000, block, 0, GuestAccess.All), "The region");
        memory.Map(Block + 0x3000, block, 0x7000, 0x1000, GuestAccess.All);
        block.Dispose();
    }

    private static void Replace(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(eax, __dword_ptr[GuestLayout.Data]);
            a.mov(ebx, __dword_ptr[GuestLayout.Data + 0x1000]);
            a.@out((byte)GuestLayout.MarkPort, al);
            a.mov(ecx, __dword_ptr[GuestLayout.Data]);
            a.mov(edx, __dword_ptr[GuestLayout.Data + 0x1000]);
            a.hlt();
        });
        m.Poke(GuestLayout.Data, 1, 4);
        m.Poke(GuestLayout.Data + 0x1000, 2, 4);
        using GuestMemory other = m.Partition.AllocateMemory(0x1000);
        other.Write(0, [3, 0, 0, 0]);
        m.RunToMark();
        m.Memory.Map(GuestLayout.Data, other, 0, 0x1000, GuestAccess.All, replace: true);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 1), (Register.Rbx, 2), (Register.Rcx, 3), (Register.Rdx, 2));
    }

    private static void UnmapInsideAndAcross(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        memory.Map(Block, block, 0, 0x3000, GuestAccess.All);
        memory.Map(Block + 0x4000, block, 0x4000, 0x3000, GuestAccess.ReadExecute);
        memory.Unmap(Block + 0x1000, 0x1000);
        Verify.Equal(memory.Regions.Count, 3, "Regions after a hole in the first mapping");
        Verify.Equal(memory.Regions[1], new MappedRegion(Block + 0x2000, 0x1000, block, 0x2000, GuestAccess.All),
            "What lies after the hole");
        memory.Unmap(Block + 0x2000, 0x3000);
        Verify.Equal(memory.Regions.Count, 2, "Regions after unmapping across");
        Verify.Equal(memory.Regions[1], new MappedRegion(Block + 0x5000, 0x2000, block, 0x5000, GuestAccess.ReadExecute),
            "What is left of the second");
        memory.Unmap(Block - 0x10_0000, 0x20_0000);
        Verify.Equal(memory.Regions.Count, 0, "Regions after unmapping everything");
        memory.Unmap(Block, 0x1000);
        block.Dispose();
    }

    private static void ProtectNeedsMapped(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        memory.Map(Block, block, 0, 0x2000, GuestAccess.All);
        memory.Map(Block + 0x2000, block, 0x4000, 0x2000, GuestAccess.Read);
        memory.Protect(Block + 0x1000, 0x2000, GuestAccess.ReadWrite);
        GuestAccess[] rights = [.. Enumerable.Range(0, 4).Select(i => memory.Translate(Block + ((ulong)i << 12),
            GuestAccess.None).Access & GuestAccess.ReadWrite)];
        Verify.True(rights is [GuestAccess.ReadWrite, GuestAccess.ReadWrite, GuestAccess.ReadWrite, GuestAccess.Read],
            $"Rights of the four pages ({string.Join(", ", rights)})");
        Verify.Throws<ArgumentException>(() => memory.Protect(Block + 0x3000, 0x2000, GuestAccess.All), "Protect over a hole");
        Verify.Equal(memory.Translate(Block + 0x3000, GuestAccess.Write).Status, TranslationStatus.AccessDenied,
            "The page before the hole");
        block.Dispose();
    }

    private static void RegionsMerged(ConformanceContext c)
    {
        (ISecondLevelAddressTranslation memory, GuestMemory block) = Empty(c);
        memory.Map(Block + 0x2000, block, 0x2000, 0x1000, GuestAccess.All);
        memory.Map(Block, block, 0, 0x1000, GuestAccess.All);
        Verify.Equal(memory.Regions.Count, 2, "Regions with a hole between");
        memory.Map(Block + 0x1000, block, 0x1000, 0x1000, GuestAccess.All);
        Verify.Equal(memory.Regions.Count, 1, "Regions once the hole is filled");
        Verify.Equal(memory.Regions[0], new MappedRegion(Block, 0x3000, block, 0, GuestAccess.All), "The region");
        memory.Protect(Block + 0x1000, 0x1000, GuestAccess.Read);
        Verify.Equal(memory.Regions.Count, 3, "Regions with a page protected");
        memory.Protect(Block + 0x1000, 0x1000, GuestAccess.All);
        Verify.Equal(memory.Regions.Count, 1, "Regions with the page as before");
        block.Dispose();
    }

    private static void HostAccess(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        using GuestMemory other = m.Partition.AllocateMemory(0x1000);
        m.Memory.Map(GuestLayout.End, other, 0, 0x1000, GuestAccess.Read);
        byte[] data = [1, 2, 3, 4, 5, 6, 7, 8];
        m.Memory.Write(GuestLayout.End - 3, data);
        Verify.Bytes(m.PeekBytes(GuestLayout.End - 3, 8), data, "Eight bytes across two blocks, the second read-only for the guest");
        Verify.Equal(other.GetSpan(0, 5)[4], (byte)8, "The second block");
        byte[] untouched = [9, 9, 9, 9];
        Verify.Throws<ArgumentException>(() => m.Memory.Read(GuestLayout.End + 0xFFE, untouched), "Reading into a hole", "201000");
        Verify.Bytes(untouched, [9, 9, 9, 9], "The buffer after the refusal");
        m.Poke(GuestLayout.End + 0xFFE, 0xAAAA, 2);
        Verify.Throws<ArgumentException>(() => m.Memory.Write(GuestLayout.End + 0xFFE, data), "Writing into a hole", "201000");
        Verify.Equal(m.Peek(GuestLayout.End + 0xFFE, 2), 0xAAAAUL, "Memory after the refusal");
        Verify.Throws<ArgumentException>(() => m.Memory.Read(ulong.MaxValue - 1, untouched), "Reading past the end of 64 bits");
    }

    private static void CompareExchange(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        foreach (int size in (int[])[1, 2, 4, 8])
        {
            ulong mask = size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;
            m.Poke(GuestLayout.Data, 0x1122_3344_5566_7788);
            Verify.Equal(m.Memory.CompareExchange(GuestLayout.Data, size, 0, 5), 0x1122_3344_5566_7788 & mask,
                $"Found, {size} bytes, not equal");
            Verify.Equal(m.Peek(GuestLayout.Data), 0x1122_3344_5566_7788UL, "Memory when not equal");
            Verify.Equal(m.Memory.CompareExchange(GuestLayout.Data, size, 0x1122_3344_5566_7788 & mask, 0xA5), 0x1122_3344_5566_7788 & mask,
                $"Found, {size} bytes, equal");
            Verify.Equal(m.Peek(GuestLayout.Data), (0x1122_3344_5566_7788 & ~mask) | 0xA5, "Memory when equal");
        }
        Verify.Throws<ArgumentException>(() => m.Memory.CompareExchange(GuestLayout.Data + 1, 4, 0, 0), "A misaligned address");
        Verify.Throws<ArgumentException>(() => m.Memory.CompareExchange(GuestLayout.Data, 3, 0, 0), "Three bytes");
        Verify.Throws<ArgumentException>(() => m.Memory.CompareExchange(GuestLayout.Mmio, 4, 0, 0), "A hole");
    }

    private static void Spans(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        Verify.True(m.Memory.TryGetSpan(GuestLayout.Data, 0x2000, true, out Span<byte> span), "A span over two pages of one block");
        Verify.Equal(span.Length, 0x2000, "Length");
        span[0x1800] = 0x42;
        m.Memory.NotifyWritten(GuestLayout.Data + 0x1800, 1);
        Verify.Equal(m.Peek(GuestLayout.Data + 0x1800, 1), 0x42UL, "What was written through the span");
        Verify.True(!m.Memory.TryGetSpan(GuestLayout.Mmio - 0x1000, 0x2000, false, out _), "No span into a hole");
        Verify.True(!m.Memory.TryGetSpan(GuestLayout.Mmio, 1, false, out _), "No span in a hole");
        using GuestMemory other = m.Partition.AllocateMemory(0x1000);
        m.Memory.Map(GuestLayout.End, other, 0, 0x1000, GuestAccess.All);
        Verify.True(!m.Memory.TryGetSpan(GuestLayout.End - 8, 16, false, out _), "No span over two blocks");
    }

    private static void Alias(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Protected32, a =>
        {
            a.mov(__dword_ptr[GuestLayout.Data], 0x1234);
            a.mov(eax, __dword_ptr[(uint)Block]);
            a.mov(__dword_ptr[(uint)Block + 4], 0x5678);
            a.mov(ebx, __dword_ptr[GuestLayout.Data + 4]);
            a.hlt();
        });
        m.Memory.Map(Block, m.Ram, GuestLayout.Data, 0x1000, GuestAccess.All);
        m.RunToHalt();
        m.VerifyRegisters((Register.Rax, 0x1234), (Register.Rbx, 0x5678));
        Verify.Equal(m.Peek(Block), 0x5678_0000_1234UL, "Both stores, seen through the second mapping");
    }

    private static void TranslatePhysical(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        m.Memory.Protect(GuestLayout.Data, 0x1000, GuestAccess.ReadExecute);
        Verify.Equal(m.Memory.Translate(GuestLayout.Data + 5, GuestAccess.Read).Status, TranslationStatus.Success,
            "Read of a read-only page");
        Verify.Equal(m.Memory.Translate(GuestLayout.Data + 5, GuestAccess.Write).Status, TranslationStatus.AccessDenied,
            "Write to a read-only page");
        Verify.Equal(m.Memory.Translate(GuestLayout.Data + 0x1000, GuestAccess.Write).Status, TranslationStatus.Success,
            "Write to the next page");
        Verify.Equal(m.Memory.Translate(GuestLayout.Mmio, GuestAccess.Read).Status, TranslationStatus.Unmapped, "Read of a hole");
        Verify.Equal(m.Memory.Translate(ulong.MaxValue, GuestAccess.Read).Status, TranslationStatus.Unmapped, "Read beyond the width");
        Verify.Equal(m.Memory.Translate(GuestLayout.Data, GuestAccess.None).Access & GuestAccess.ReadWrite, GuestAccess.Read,
            "Rights of a read-only page");
    }

    private static void TranslateLinear(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        ulong page = GuestLayout.Data;
        m.ChangePage(page, _ => 0x18_0001); // elsewhere, supervisor, read-only
        m.ChangePage(page + 0x1000, entry => entry | (1UL << 63));
        m.ChangePage(page + 0x2000, entry => entry & ~1UL);
        Verify.Equal(At(page + 0x123, GuestAccess.Read, false).PhysicalAddress, 0x18_0123UL, "Physical address");
        Verify.Equal(At(page, GuestAccess.Write, false).Status, TranslationStatus.PrivilegeViolation,
            "Write to a read-only page with CR0.WP");
        Verify.Equal(At(page, GuestAccess.Read, true).Status, TranslationStatus.PrivilegeViolation, "User read of a supervisor page");
        Verify.Equal(At(page + 0x1000, GuestAccess.Execute, false).Status, TranslationStatus.PrivilegeViolation,
            "Fetch from a no-execute page");
        Verify.Equal(At(page + 0x1000, GuestAccess.Write, true).Status, TranslationStatus.Success, "User write to a user page");
        Verify.Equal(At(page + 0x2000, GuestAccess.None, false).Status, TranslationStatus.PageNotPresent, "A page that is not present");
        Verify.Equal(At(0x0001_0000_0000_0000, GuestAccess.Read, false).Status, TranslationStatus.NonCanonical, "A non-canonical address");
        Verify.Equal(At(GuestLayout.Mmio, GuestAccess.None, false).PhysicalAddress, GuestLayout.Mmio, "The physical address of a hole");
        Verify.Equal(m.Peek(m.PageEntryAddress(page + 0x1000)) & 0x60, 0UL, "Accessed and dirty bits after translating");

        LinearTranslationResult At(ulong linear, GuestAccess access, bool user) => m.Processor.Translate(linear, access, user);
    }

    private static void TranslatePageSize(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a => a.hlt());
        m.ChangePage(GuestLayout.Data, entry => entry & ~1UL);
        Verify.Equal(m.Processor.Translate(GuestLayout.Data + 0x1000, GuestAccess.Read).PageSize, 0x1000UL, "A small page");
        Verify.Equal(m.Processor.Translate(0x40_0000, GuestAccess.None).PageSize, 0x20_0000UL, "A large page");
        Verify.Equal(m.Processor.Translate(GuestLayout.Data, GuestAccess.Read).FailingLevel, 1,
            "Failing level of a page that is not present");
        Verify.Equal(m.Processor.Translate(0x80_0000_0000, GuestAccess.Read).FailingLevel, 4, "Failing level of an empty PML4 entry");
        Verify.Equal(m.Processor.Translate(0x4000_0000, GuestAccess.Read).FailingLevel, 3, "Failing level of an empty PDPT entry");
    }

    private static void TopOfWidth(ConformanceContext c)
    {
        GuestMachine m = c.CreateMachine();
        ulong last = (1UL << m.Memory.AddressBits) - 0x1000;
        m.Memory.Map(last, m.Ram, GuestLayout.Data, 0x1000, GuestAccess.All);
        m.Memory.Write(last + 0xFF8, [1, 2, 3, 4, 5, 6, 7, 8]);
        Verify.Equal(m.Peek(GuestLayout.Data + 0xFF8), 0x0807_0605_0403_0201UL, "The last eight bytes");
        m.Memory.Unmap(last, 0x1000);
        Verify.Equal(m.Memory.Translate(last, GuestAccess.Read).Status, TranslationStatus.Unmapped, "After unmapping");
    }

    private static void Above4G(ConformanceContext c)
    {
        GuestMachine m = c.Enter(GuestMode.Long, a =>
        {
            a.mov(rax, __qword_ptr[rbx]);
            a.mov(__qword_ptr[rbx + 8], rax);
            a.hlt();
        });
        const ulong High = 0x3_4560_0000;
        // The page directory entry that maps 1 GiB - 2 MiB goes to high memory.
        m.Memory.Map(High, m.Ram, GuestLayout.HighMemory, 0x10_0000, GuestAccess.All);
        m.Poke(GuestLayout.LongTables + 0x2000 + (511 * 8), High | 0x87);
        m.Poke(GuestLayout.HighMemory + 0x1230, 0xCAFE_F00D_1234_5678);
        m[Register.Rbx] = 0x3FE0_1230;
        m.RunToHalt();
        Verify.Equal(m.Peek(GuestLayout.HighMemory + 0x1238), 0xCAFE_F00D_1234_5678UL, "What the guest copied above 4 GiB");
    }
}
