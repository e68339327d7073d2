namespace Vmm.Conformance;

/// <summary>Where the kit puts things in a guest, as guest-physical addresses. Paging, where on, maps them to themselves.</summary>
public static class GuestLayout
{
    /// <summary>The real-mode interrupt vectors.</summary>
    public const ulong InterruptVectors = 0;

    /// <summary>The global descriptor table.</summary>
    public const ulong Gdt = 0x2000;

    /// <summary>The interrupt descriptor table: 256 gates.</summary>
    public const ulong Idt = 0x3000;

    /// <summary>The 64-bit task-state segment.</summary>
    public const ulong Tss64 = 0x4000;

    /// <summary>The 32-bit task-state segment.</summary>
    public const ulong Tss32 = 0x4100;

    /// <summary>One stub of 16 bytes for each vector.</summary>
    public const ulong Stubs = 0x5000;

    /// <summary>The guest's code.</summary>
    public const ulong Code = 0x8000;

    /// <summary>The guest's data: 32 KiB.</summary>
    public const ulong Data = 0x1_0000;

    /// <summary>Top of the stack taken through IST 1.</summary>
    public const ulong InterruptStackTop = 0x1_D000;

    /// <summary>Top of the stack for entries from privilege level 3.</summary>
    public const ulong PrivilegedStackTop = 0x1_E000;

    /// <summary>Top of the guest's own stack.</summary>
    public const ulong StackTop = 0x1_F000;

    /// <summary>4-level tables: PML4, then one PDPT, one page directory, one page table, a page each.</summary>
    public const ulong LongTables = 0x2_0000;

    /// <summary>32-bit tables: page directory and one page table.</summary>
    public const ulong Tables32 = 0x3_0000;

    /// <summary>PAE tables: pointer table, page directory and page table.</summary>
    public const ulong PaeTables = 0x3_4000;

    /// <summary>A hole of 384 KiB: memory-mapped I/O that every mode reaches.</summary>
    public const ulong Mmio = 0xA_0000;

    /// <summary>Memory goes on after the hole.</summary>
    public const ulong HighMemory = 0x10_0000;

    /// <summary>End of memory. Nothing is mapped from here on.</summary>
    public const ulong End = 0x20_0000;

    /// <summary>A stub writes to this port: an exception or interrupt was taken.</summary>
    public const ushort ExceptionPort = 0xFA;

    /// <summary>A write to this port ends a guest, whatever its privilege level.</summary>
    public const ushort MarkPort = 0xFD;
}
