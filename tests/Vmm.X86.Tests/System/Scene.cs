using Vmm.X86.Execution;

namespace Vmm.X86.Tests.Privileged;

/// <summary>A processor put into a mode with a GDT, an IDT and a TSS, all in ring 0 unless moved.</summary>
internal static unsafe class Scene
{
    public const ulong Gdt = 0x1000, Idt = 0x2000, Tss = 0x3000, Ldt = 0x3800, Stack0 = 0x9000, Stack3 = 0xB000, Stack1 = 0xA000,
        PageTables = 0x10000;

    public const ushort Code0 = 0x08, Data0 = 0x10, Code3 = 0x1B, Data3 = 0x23, TaskSelector = 0x28, Code64 = 0x38, Code16 = 0x40,
        Conforming = 0x48,
        NotPresentCode = 0x50, ReadOnlyData = 0x58, Code64User = 0x63, Code1 = 0x69, Data1 = 0x71, NotPresentData = 0x78, Gate = 0x80;

    private const ulong GdtLimit = 0xFF;

    /// <summary>32-bit protected mode, flat, no paging.</summary>
    public static TestProcessor Protected(CpuidModel? model = null)
    {
        TestProcessor cpu = new(model);
        VcpuState* s = cpu.S;
        FillGdt(cpu, 0x0000_8B00_3000_0067);
        s->Gdtr = new TableRegister { Base = Gdt, Limit = (uint)GdtLimit };
        s->Idtr = new TableRegister { Base = Idt, Limit = 0x7FF };
        cpu.Segment(SegmentIndex.Tr) = new SegmentRegister { Selector = TaskSelector, Base = Tss, Limit = 0x67, Attributes = 0x8B };
        cpu.Poke32(Tss + 4, (uint)Stack0);
        cpu.Poke32(Tss + 8, Data0);
        cpu.Poke32(Tss + 12, (uint)Stack1);
        cpu.Poke32(Tss + 16, Data1);
        s->Cr0 = 0x11;
        cpu.UpdateMode();
        EnterCode(cpu, Code0, Data0, 0x8000, Stack0);
        return cpu;
    }

    /// <summary>64-bit mode with 4-level paging: the first 2 MiB identity-mapped for everyone, writable.</summary>
    public static TestProcessor Long(CpuidModel? model = null)
    {
        TestProcessor cpu = new(model);
        VcpuState* s = cpu.S;
        FillGdt(cpu, 0x0000_8B00_3000_0067);
        cpu.Poke64(PageTables, PageTables + 0x1007);
        cpu.Poke64(PageTables + 0x1000, PageTables + 0x2007);
        cpu.Poke64(PageTables + 0x2000, 0x87);
        s->Gdtr = new TableRegister { Base = Gdt, Limit = (uint)GdtLimit };
        s->Idtr = new TableRegister { Base = Idt, Limit = 0xFFF };
        cpu.Segment(SegmentIndex.Tr) = new SegmentRegister { Selector = TaskSelector, Base = Tss, Limit = 0x67, Attributes = 0x8B };
        cpu.Poke64(Tss + 4, Stack0);
        cpu.Poke64(Tss + 0x24, 0xC000);
        s->Cr0 = 0x8000_0011;
        s->Cr3 = PageTables;
        s->Cr4 = 0x20;
        s->Efer = 0xD01;
        cpu.UpdateMode();
        EnterCode(cpu, Code64, Data0, 0x8000, Stack0);
        return cpu;
    }

    /// <summary>Puts CS, SS, DS, ES and the stack pointer straight in.</summary>
    public static void EnterCode(TestProcessor cpu, ushort code, ushort data, ulong rip, ulong rsp)
    {
        VcpuState* s = cpu.S;
        s->Cpl = code & 3U;
        cpu.Segment(SegmentIndex.Cs) = Register(cpu, code);
        foreach (int index in (int[])[SegmentIndex.Ss, SegmentIndex.Ds, SegmentIndex.Es, SegmentIndex.Fs, SegmentIndex.Gs])
            cpu.Segment(index) = Register(cpu, data);
        s->Rip = rip;
        s->General[4] = rsp;
        cpu.UpdateMode();
    }

    public static SegmentRegister Register(TestProcessor cpu, ushort selector) =>
        new Descriptor(cpu.Peek64(Gdt + (ulong)(selector & ~7))).ToSegment(selector);

    /// <summary>A gate of the 8-byte form.</summary>
    public static ulong GateOf(ushort selector, uint offset, uint type, uint dpl, bool present = true) =>
        (offset & 0xFFFF) | ((ulong)selector << 16) | ((ulong)type << 40) | ((ulong)dpl << 45)
        | (present ? 1UL << 47 : 0) | ((ulong)(offset >> 16) << 48);

    public static void SetIdt(TestProcessor cpu, int vector, ulong gate) => cpu.Poke64(Idt + (8UL * (ulong)vector), gate);

    public static void SetIdt64(TestProcessor cpu, int vector, ushort selector, ulong offset, uint type = 14, uint dpl = 0,
        uint stack = 0) =>
        cpu.Poke64(Idt + (16UL * (ulong)vector), GateOf(selector, (uint)offset, type, dpl) | ((ulong)stack << 32), offset >> 32);

    private static void FillGdt(TestProcessor cpu, ulong tss) => cpu.Poke64(
        Gdt,
        0,
        0x00CF_9B00_0000_FFFF, // 08 code 0
        0x00CF_9300_0000_FFFF, // 10 data 0
        0x00CF_FB00_0000_FFFF, // 18 code 3
        0x00CF_F300_0000_FFFF, // 20 data 3
        tss,                   // 28 (16 bytes in long mode)
        0,
        0x00AF_9B00_0000_FFFF, // 38 64-bit code 0
        0x0000_9B00_0000_FFFF, // 40 16-bit code 0
        0x00CF_9F00_0000_FFFF, // 48 conforming code 0
        0x00CF_1B00_0000_FFFF, // 50 not present
        0x00CF_9100_0000_FFFF, // 58 read-only data
        0x00AF_FB00_0000_FFFF, // 60 64-bit code 3
        0x00CF_BB00_0000_FFFF, // 68 code 1
        0x00CF_B300_0000_FFFF, // 70 data 1
        0x00CF_1300_0000_FFFF, // 78 data, not present
        0,                     // 80 a gate
        0);
}
