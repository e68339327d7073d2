using System.Buffers.Binary;

namespace Vmm.Machines;

/// <summary>Builds the start states of the modes, with the descriptor and page tables they need in guest memory.</summary>
internal static class EntryStates
{
    private const ulong ProtectionEnabled = 0x1;
    private const ulong ExtensionType = 0x10;
    private const ulong Paging = 0x8000_0000;
    private const ulong PhysicalAddressExtension = 0x20;
    private const ulong LongModeEnabled = 0x100;
    private const ulong LongModeActive = 0x400;

    private const ulong Present = 0x1;
    private const ulong Writable = 0x2;
    private const ulong LargePage = 0x80;

    // Descriptors of 4 GiB from 0 (SDM Vol. 3A 3.4.5): execute/read and read/write, accessed; a busy 32- or 64-bit TSS of 104 bytes.
    private const ulong Code32 = 0x00CF_9B00_0000_FFFF;
    private const ulong Code64 = 0x00AF_9B00_0000_FFFF;
    private const ulong FlatData = 0x00CF_9300_0000_FFFF;
    private const ulong BusyTask = 0x0000_8B00_0000_0067;

    private const ulong StackSize = 0x4000;
    private const ulong Gibibyte = 0x4000_0000;
    private const ulong LargePageSize = 0x20_0000;

    /// <summary>Real mode with CS:IP at an address below 1 MiB.</summary>
    public static EntryState Real(ulong entry)
    {
        ushort selector = entry < 0x1_0000 ? (ushort)0 : (ushort)((entry >> 4) & 0xF000);
        return new EntryState
        {
            Rip = entry - ((ulong)selector << 4),
            Cr0 = ExtensionType,
            Code = new SegmentDescriptor(selector, (ulong)selector << 4, 0xFFFF, 0x009B),
            Data = new SegmentDescriptor(0, 0, 0xFFFF, 0x0093),
            Task = new SegmentDescriptor(0, 0, 0xFFFF, 0x008B),
        };
    }

    /// <summary>32-bit protected mode with flat segments (selectors 0x10, 0x18) and no paging.</summary>
    public static EntryState Protected(Placement placement, ulong entry)
    {
        ulong table = WriteDescriptors(placement, Code32);
        return new EntryState
        {
            Rip = entry,
            Cr0 = ProtectionEnabled | ExtensionType,
            Code = Segment(0x10, Code32),
            Data = Segment(0x18, FlatData),
            Task = Segment(0x20, BusyTask),
            GdtBase = table,
            GdtLimit = 6 * 8 - 1,
        };
    }

    /// <summary>64-bit mode, the first 4 GiB mapped to themselves by 2 MiB pages, selectors 0x10 and 0x18.</summary>
    public static EntryState Long(Placement placement, ulong entry)
    {
        ulong table = WriteDescriptors(placement, Code64);
        ulong root = WritePageTables(placement);
        return new EntryState
        {
            Rip = entry,
            Cr0 = ProtectionEnabled | ExtensionType | Paging,
            Cr3 = root,
            Cr4 = PhysicalAddressExtension,
            Efer = LongModeEnabled | LongModeActive,
            Code = Segment(0x10, Code64),
            Data = Segment(0x18, FlatData),
            Task = Segment(0x20, BusyTask),
            GdtBase = table,
            GdtLimit = 6 * 8 - 1,
        };
    }

    /// <summary>Adds a small stack, so that an image may call before it has set up its own.</summary>
    public static EntryState WithStack(this EntryState state, Placement placement) =>
        state with { Rsp = placement.Find(StackSize, "the stack") + StackSize };

    private static SegmentDescriptor Segment(ushort selector, ulong descriptor)
    {
        uint limit = (uint)((descriptor & 0xFFFF) | ((descriptor >> 32) & 0xF_0000));
        bool granular = (descriptor & (1ul << 55)) != 0;
        // The table's TSS descriptor has its type busy already, as the register's hidden part must.
        return new SegmentDescriptor(selector, 0, granular ? (limit << 12) | 0xFFF : limit, (ushort)((descriptor >> 40) & 0xF0FF));
    }

    private static ulong WriteDescriptors(Placement placement, ulong code)
    {
        Span<byte> table = stackalloc byte[6 * 8];
        table.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(table[0x10..], code);
        BinaryPrimitives.WriteUInt64LittleEndian(table[0x18..], FlatData);
        BinaryPrimitives.WriteUInt64LittleEndian(table[0x20..], BusyTask);
        ulong address = placement.Find((ulong)table.Length, "the descriptor table");
        placement.Write(address, table);
        return address;
    }

    private static ulong WritePageTables(Placement placement)
    {
        byte[] tables = new byte[6 * 4096];
        ulong address = placement.Find((ulong)tables.Length, "the page tables");
        SetEntry(0, address + 0x1000 | Present | Writable);
        for (ulong directory = 0; directory < 4; directory++)
        {
            SetEntry((int)(512 + directory), address + 0x2000 + directory * 0x1000 | Present | Writable);
            for (ulong page = 0; page < 512; page++)
                SetEntry(
                    (int)(1024 + directory * 512 + page), directory * Gibibyte + page * LargePageSize | Present | Writable | LargePage);
        }
        placement.Write(address, tables);
        return address;

        void SetEntry(int index, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(tables.AsSpan(index * 8), value);
    }
}
